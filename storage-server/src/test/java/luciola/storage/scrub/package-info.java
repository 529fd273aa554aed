@NullMarked
package luciola.storage.scrub;

import org.jspecify.annotations.NullMarked;
