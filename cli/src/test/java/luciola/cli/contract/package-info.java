/** The promises of the file system, checked over real servers. */
@NullMarked
package luciola.cli.contract;

import org.jspecify.annotations.NullMarked;
