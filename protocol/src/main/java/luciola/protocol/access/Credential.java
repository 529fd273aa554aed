package luciola.protocol.access;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * What a caller shows to a meta-server. As text, in a file or on the wire: {@code
 * lt1.<token>.<secret>} is a user's, {@code ls1.<secret>} that of the cluster's servers.
 */
public sealed interface Credential {
  /** The most characters that a text may have. */
  int TEXT_MAX = 128;

  Secret secret();

  /** The text; a secret, never to be logged. */
  String text();

  /**
   * Of a user.
   *
   * @param token number of the token, 1 or more
   */
  record OfUser(long token, Secret secret) implements Credential {
    public OfUser {
      if (token < 1) {
        throw new IllegalArgumentException("bad token: token=" + token);
      }
    }

    @Override
    public String text() {
      return "lt1." + token + "." + secret.text();
    }
  }

  /** Of the servers of a cluster; may do everything. */
  record OfServers(Secret secret) implements Credential {
    @Override
    public String text() {
      return "ls1." + secret.text();
    }
  }

  /**
   * Reads a text.
   *
   * @throws LuciolaException UNAUTHENTICATED if it is none; the message has nothing of the text
   */
  static Credential parse(String text) {
    String[] parts = text.length() > TEXT_MAX ? new String[0] : text.split("\\.", -1);
    if (parts.length == 3 && parts[0].equals("lt1")) {
      return new OfUser(number(parts[1]), Secret.parse(parts[2]));
    }
    if (parts.length == 2 && parts[0].equals("ls1")) {
      return new OfServers(Secret.parse(parts[1]));
    }
    throw notOne(text);
  }

  private static long number(String digits) {
    try {
      long number = Long.parseLong(digits);
      if (number > 0) {
        return number;
      }
    } catch (NumberFormatException notOne) {
      // Said below, without the text.
    }
    throw new LuciolaException(ErrorCode.UNAUTHENTICATED, "token without a number");
  }

  private static LuciolaException notOne(String text) {
    return new LuciolaException(
        ErrorCode.UNAUTHENTICATED,
        "neither a token nor a cluster's secret: characters=" + text.length());
  }
}
