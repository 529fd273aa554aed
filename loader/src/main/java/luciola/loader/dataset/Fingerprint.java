package luciola.loader.dataset;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The first eight bytes, big-endian, of the SHA-256 of a line of text. */
final class Fingerprint {
  private Fingerprint() {}

  static long of(String line) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(line.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(digest).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Sixteen hexadecimal digits. */
  static String hex(long fingerprint) {
    return "%016x".formatted(fingerprint);
  }
}
