/** Checks over the whole house: who imports whom, and what the pure cores never touch. */
@NullMarked
package luciola.deploy;

import org.jspecify.annotations.NullMarked;
