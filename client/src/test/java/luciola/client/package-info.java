/** What every file system must keep, as a test class that runs over each of them. */
@NullMarked
package luciola.client;

import org.jspecify.annotations.NullMarked;
