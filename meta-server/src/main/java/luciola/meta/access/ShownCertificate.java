package luciola.meta.access;

import java.util.List;
import java.util.Optional;

/**
 * A certificate that a caller has shown and has the key of, as far as a decision needs it.
 *
 * @param subject as it stands there
 * @param serial number that its authority gave it
 * @param untrusted why no authority that signs for users stands behind it; empty if one does
 * @param fromNanos since 1970, from when on it, and what is above it, is good
 * @param untilNanos until when
 * @param uses what it says it is for, as numbers (OID) of extended key usages; empty: it says
 *     nothing
 * @param authority whether it may sign others
 * @param commonNames of its subject
 * @param uris of its other names
 */
public record ShownCertificate(
    String subject,
    String serial,
    Optional<String> untrusted,
    long fromNanos,
    long untilNanos,
    List<String> uses,
    boolean authority,
    List<String> commonNames,
    List<String> uris) {
  public ShownCertificate {
    uses = List.copyOf(uses);
    commonNames = List.copyOf(commonNames);
    uris = List.copyOf(uris);
  }
}
