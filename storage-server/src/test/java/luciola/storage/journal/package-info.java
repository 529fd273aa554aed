@NullMarked
package luciola.storage.journal;

import org.jspecify.annotations.NullMarked;
