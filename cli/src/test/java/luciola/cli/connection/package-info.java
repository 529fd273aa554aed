/** Tests of how clusters are reached. */
@NullMarked
package luciola.cli.connection;

import org.jspecify.annotations.NullMarked;
