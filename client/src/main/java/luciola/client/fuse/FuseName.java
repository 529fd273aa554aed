package luciola.client.fuse;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** A name as a program gave it: bytes, usually UTF-8, without a zero. */
public final class FuseName {
  private final byte[] bytes;

  /** These bytes, which are not copied: nobody changes them. */
  public FuseName(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The bytes, not a copy. */
  public byte[] bytes() {
    return bytes;
  }

  /** A name in UTF-8. */
  public static FuseName of(String text) {
    return new FuseName(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The text; empty if the bytes are no UTF-8. */
  public Optional<String> text() {
    try {
      return Optional.of(
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes))
              .toString());
    } catch (CharacterCodingException _) {
      return Optional.empty();
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FuseName that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
