/**
 * Keys and certificates for tests, of this module and others. Start with {@link
 * luciola.protocol.certificate.TestAuthority}.
 */
@NullMarked
package luciola.protocol.certificate;

import org.jspecify.annotations.NullMarked;
