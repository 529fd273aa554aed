/**
 * What shows who somebody is: the secrets of users and servers, and how they are written. Never
 * reads a file, a clock or a random number, never sends anything. Start with {@link
 * luciola.protocol.access.Credential}.
 */
@NullMarked
package luciola.protocol.access;

import org.jspecify.annotations.NullMarked;
