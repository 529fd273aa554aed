/** Tests of mounted file systems: programs of this machine against a mount's process. */
@NullMarked
package luciola.cli.mount;

import org.jspecify.annotations.NullMarked;
