package luciola.protocol.access;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * 256 random bits. Never printed: {@code toString} says nothing of them. Who stores one stores its
 * hash; with so many random bits a slow hash would add nothing.
 */
public final class Secret {
  /** Bytes of a secret, and of its hash. */
  public static final int BYTES = 32;

  private final byte[] bytes;

  private Secret(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * A secret of these bytes, which the caller drew from a good source.
   *
   * @throws IllegalArgumentException if there are not 32
   */
  public static Secret of(byte[] random) {
    if (random.length != BYTES) {
      throw new IllegalArgumentException("a secret has 32 bytes: bytes=" + random.length);
    }
    return new Secret(random.clone());
  }

  /** Reads {@link #text}; the text is in no message of a fault. */
  static Secret parse(String text) {
    try {
      return of(Base64.getUrlDecoder().decode(text));
    } catch (IllegalArgumentException notOne) {
      throw new LuciolaException(
          ErrorCode.UNAUTHENTICATED, "not a secret: characters=" + text.length());
    }
  }

  /** For the file that it is kept in, and for the wire. */
  String text() {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  byte[] raw() {
    return bytes;
  }

  /** What may be stored of it. */
  public byte[] hash() {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java platform has SHA-256", impossible);
    }
  }

  /** Whether this is the secret of which that is the hash; takes the same time either way. */
  public boolean hasHash(byte[] other) {
    return MessageDigest.isEqual(hash(), other);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secret secret && MessageDigest.isEqual(bytes, secret.bytes);
  }

  @Override
  public int hashCode() {
    return 0;
  }

  @Override
  public String toString() {
    return "(secret)";
  }
}
