package luciola.protocol.frame;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;

/**
 * Reads a body strictly: no byte too few or too many, no flag but 0 and 1, no list longer than the
 * bytes that are there (so that a lying length allocates nothing).
 */
final class BodyReader {
  private static final int[] NO_CHECKSUMS = {};

  private final ByteBuffer in;
  private final FrameType type;

  BodyReader(ByteBuffer body, FrameType type) {
    this.in = body.slice().order(ByteOrder.LITTLE_ENDIAN);
    this.type = type;
  }

  int u8() {
    return need(1).get() & 0xff;
  }

  boolean bool() {
    int value = u8();
    if (value > 1) {
      throw malformed("not a boolean: value=" + value);
    }
    return value == 1;
  }

  int u16() {
    return need(2).getShort() & 0xffff;
  }

  int i32() {
    return need(4).getInt();
  }

  long i64() {
    return need(8).getLong();
  }

  ErrorCode code() {
    return ErrorCode.ofNumber(u16());
  }

  ChainId chain() {
    return new ChainId(i32());
  }

  ChainVersion chainVersion() {
    return new ChainVersion(i32());
  }

  TargetId target() {
    return new TargetId(i64());
  }

  ChunkId chunk() {
    return new ChunkId(new InodeId(i64()), i32());
  }

  int[] checksums() {
    int count = count(Integer.BYTES);
    if (count == 0) {
      return NO_CHECKSUMS;
    }
    int[] checksums = new int[count];
    for (int i = 0; i < count; i++) {
      checksums[i] = i32();
    }
    return checksums;
  }

  /** A list of items of at least {@code itemBytes} bytes each. */
  <T> List<T> list(int itemBytes, Function<BodyReader, T> item) {
    int count = count(itemBytes);
    var items = new ArrayList<T>(count);
    for (int i = 0; i < count; i++) {
      items.add(item.apply(this));
    }
    return items;
  }

  byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    need(count).get(bytes);
    return bytes;
  }

  void end() {
    if (in.hasRemaining()) {
      throw malformed("bytes after the end: bytes=" + in.remaining());
    }
  }

  LuciolaException malformed(String what) {
    return new LuciolaException(
        ErrorCode.MALFORMED_FRAME,
        "decode frame body: type=" + type + " position=" + in.position() + " " + what);
  }

  private int count(int itemBytes) {
    int count = i32();
    if (count < 0 || (long) count * itemBytes > in.remaining()) {
      throw malformed("list longer than the frame: count=" + count + " left=" + in.remaining());
    }
    return count;
  }

  private ByteBuffer need(int bytes) {
    if (in.remaining() < bytes) {
      throw malformed("ends too early: wanted=" + bytes + " left=" + in.remaining());
    }
    return in;
  }
}
