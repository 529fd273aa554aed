package luciola.protocol.frame;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.BiConsumer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;

/** A growing little-endian buffer with room for the prefix in front; writes the shared pieces. */
final class BodyWriter {
  private static final int FIRST_BYTES = 256;

  private ByteBuffer out =
      ByteBuffer.allocate(FIRST_BYTES).order(ByteOrder.LITTLE_ENDIAN).position(FramePrefix.BYTES);

  BodyWriter u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  BodyWriter bool(boolean value) {
    return u8(value ? 1 : 0);
  }

  BodyWriter u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  BodyWriter i32(int value) {
    room(4).putInt(value);
    return this;
  }

  BodyWriter i64(long value) {
    room(8).putLong(value);
    return this;
  }

  BodyWriter code(ErrorCode code) {
    return u16(code.number());
  }

  /** Chain id (4) and chain version (4). */
  BodyWriter chain(ChainId chain, ChainVersion version) {
    return i32(chain.value()).i32(version.value());
  }

  BodyWriter target(TargetId target) {
    return i64(target.value());
  }

  /** Inode id (8) and chunk index (4). */
  BodyWriter chunk(ChunkId chunk) {
    return i64(chunk.inode().value()).i32(chunk.index());
  }

  /** Number (4) and as many u32s. */
  BodyWriter checksums(int[] checksums) {
    i32(checksums.length);
    for (int checksum : checksums) {
      i32(checksum);
    }
    return this;
  }

  /** Number (4) and the items. */
  <T> BodyWriter list(List<T> items, BiConsumer<BodyWriter, T> item) {
    i32(items.size());
    for (T each : items) {
      item.accept(this, each);
    }
    return this;
  }

  BodyWriter bytes(byte[] bytes) {
    while (out.remaining() < bytes.length) {
      var _ = room(out.remaining() + 1);
    }
    out.put(bytes);
    return this;
  }

  /** Puts the prefix in front: the whole frame without its payload. */
  ByteBuffer frame(FrameType type, long requestId, int payloadBytes, boolean ticketed) {
    int end = out.position();
    int bodyBytes = end - FramePrefix.BYTES;
    int crc = FramePrefix.crc(out.duplicate().position(FramePrefix.BYTES).limit(end));
    new FramePrefix(type.number(), requestId, bodyBytes, payloadBytes, crc, ticketed)
        .encode(out.position(0));
    return out.position(0).limit(end);
  }

  private ByteBuffer room(int bytes) {
    if (out.remaining() < bytes) {
      long wanted = out.capacity() * 2L;
      if (out.capacity() >= FramePrefix.BODY_BYTES_MAX + FramePrefix.BYTES) {
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT,
            "encode frame: body too long: bodyBytesMax=" + FramePrefix.BODY_BYTES_MAX);
      }
      int capacity = (int) Math.min(wanted, FramePrefix.BODY_BYTES_MAX + FramePrefix.BYTES);
      out = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN).put(out.flip());
    }
    return out;
  }
}
