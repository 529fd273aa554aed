package luciola.protocol.connection;

import java.nio.ByteBuffer;

/**
 * Bytes that were received and not parsed yet: prefixes and bodies of frames, and what was read
 * ahead with them. Of one event loop.
 */
final class HeaderBuffer {
  private static final int FIRST_BYTES = 4 << 10;
  private static final int BYTES = 64 << 10;
  private static final int PAUSED_READ_BYTES = 64;

  private ByteBuffer buffer = ByteBuffer.allocateDirect(FIRST_BYTES);

  /** What waits to be parsed is from here … */
  private int parsed;

  /** … to here. */
  private int filled;

  /** Bytes that wait to be parsed. */
  int bytes() {
    return filled - parsed;
  }

  /** The first bytes that wait; they stay. */
  ByteBuffer peek(int bytes) {
    return buffer.slice(parsed, bytes);
  }

  /** The first bytes that wait are parsed. */
  void parsed(int bytes) {
    parsed += bytes;
  }

  /** So many bytes came into the space that was given last. */
  void received(int bytes) {
    filled += bytes;
  }

  /** Between two frames: what a large body needed goes, if nothing waits. */
  void shrink() {
    if (parsed == filled) {
      compact();
      if (buffer.capacity() > BYTES) {
        buffer = ByteBuffer.allocateDirect(BYTES);
      }
    }
  }

  /**
   * Where the next bytes go.
   *
   * @param wanted bytes that must wait before they can be parsed; more than there are
   * @param ahead whether more than that may be read, as far as there is room
   */
  ByteBuffer space(int wanted, boolean ahead) {
    if (parsed == filled) {
      compact();
    }
    if (ahead && buffer.capacity() < BYTES) {
      // Only who talks gets so much: connections that come and go cost little.
      grow(BYTES);
    }
    int missing = wanted - bytes();
    if (filled + missing > buffer.capacity()) {
      compact();
    }
    if (filled == buffer.capacity()) {
      // Grows as bytes arrive, not as the prefix promises.
      grow(buffer.capacity() * 2);
    }
    int room = buffer.capacity() - filled;
    return buffer.slice(filled, ahead ? room : Math.min(missing, room));
  }

  /**
   * A channel may be asked to read once more after it was paused, in the same round of its loop: a
   * few bytes go here then. They only run out when the peer is gone (the loop then reads to the
   * end); reading into no space is taken for the end.
   */
  ByteBuffer pausedSpace() {
    compact();
    return buffer.slice(filled, Math.min(PAUSED_READ_BYTES, buffer.capacity() - filled));
  }

  private void grow(int capacity) {
    ByteBuffer larger = ByteBuffer.allocateDirect(capacity);
    buffer = larger.put(0, buffer, 0, filled);
  }

  private void compact() {
    if (parsed > 0) {
      buffer.put(0, buffer, parsed, filled - parsed);
      filled -= parsed;
      parsed = 0;
    }
  }
}
