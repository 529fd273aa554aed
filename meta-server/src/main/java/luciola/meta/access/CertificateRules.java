package luciola.meta.access;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import luciola.grpc.v1.AccessUser;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Whose a certificate is. It has to be of an authority that signs for users, good now, for callers
 * and for nothing that servers do, and to name one user that there is: by a URI {@code
 * luciola:user:NAME}, or, where it has none, by its common name. So no server's certificate, nor
 * one of a member of the log, is a user's, whoever has signed it.
 */
public final class CertificateRules {
  /** What comes before a user's name in a URI. */
  public static final String USER_URI = "luciola:user:";

  private static final String FOR_SERVERS = "1.3.6.1.5.5.7.3.1";
  private static final String FOR_CALLERS = "1.3.6.1.5.5.7.3.2";
  private static final String FOR_ANYTHING = "2.5.29.37.0";

  private CertificateRules() {}

  /**
   * The user.
   *
   * @param nowNanos since 1970
   * @throws LuciolaException UNAUTHENTICATED if it is nobody's, or is not good
   */
  public static AccessUser user(ShownCertificate shown, AccessState state, long nowNanos) {
    if (nowNanos < shown.fromNanos()) {
      throw refused(shown, "not good before " + instant(shown.fromNanos()));
    }
    if (nowNanos >= shown.untilNanos()) {
      throw refused(shown, "expired " + instant(shown.untilNanos()));
    }
    shown
        .untrusted()
        .ifPresent(why -> {
          throw refused(shown, "no authority of users stands behind it: " + why);
        });
    if (shown.authority()) {
      throw refused(shown, "an authority's, no user's");
    }
    if (!shown.uses().contains(FOR_CALLERS)) {
      throw refused(shown, "not for callers: it lacks the use clientAuth");
    }
    if (shown.uses().contains(FOR_SERVERS) || shown.uses().contains(FOR_ANYTHING)) {
      throw refused(shown, "a server's: besides clientAuth it may be used for more");
    }
    String name = name(shown);
    return state
        .user(name)
        .orElseThrow(() -> refused(shown, "there is no such user: user=" + name));
  }

  private static String name(ShownCertificate shown) {
    List<String> named =
        shown.uris().stream()
            .filter(uri -> uri.startsWith(USER_URI))
            .map(uri -> uri.substring(USER_URI.length()))
            .toList();
    List<String> names = named.isEmpty() ? shown.commonNames() : named;
    if (names.size() != 1) {
      throw refused(shown, names.isEmpty() ? "it names no user" : "it names several users");
    }
    return names.getFirst();
  }

  private static String instant(long nanos) {
    return LocalDateTime.ofEpochSecond(nanos / 1_000_000_000L, 0, ZoneOffset.UTC) + "Z";
  }

  private static LuciolaException refused(ShownCertificate shown, String why) {
    return new LuciolaException(
        ErrorCode.UNAUTHENTICATED,
        "certificate: " + why + " (subject=" + shown.subject() + " serial=" + shown.serial() + ")");
  }
}
