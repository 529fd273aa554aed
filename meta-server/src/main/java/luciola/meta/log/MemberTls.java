package luciola.meta.log;

import java.nio.file.Path;

/**
 * How members know each other and encrypt what they say. All files are PEM.
 *
 * @param certificate this member's certificate and those above it
 * @param key its private key, PKCS 8
 * @param members certificates of the members, or of an authority that signs for nobody else
 */
public record MemberTls(Path certificate, Path key, Path members) {}
