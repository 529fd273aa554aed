package luciola.protocol.frame;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The first 32 bytes of every frame, little-endian. The body follows, then the payload.
 *
 * <pre>
 *   0        4    5    6        8               16         20            24         28         32
 *   +--------+----+----+--------+---------------+----------+-------------+----------+----------+
 *   | magic  |ver |type| flags  | request id    | body     | payload     | CRC32C   | CRC32C   |
 *   | "LCL1" | 1  |    | 0 or 1 | u64           | bytes u32| bytes u32   | of body  | of 0..27 |
 *   +--------+----+----+--------+---------------+----------+-------------+----------+----------+
 * </pre>
 *
 * The payload has no checksum here: its granule checksums are in the body. Flag 1: the body of a
 * request begins with tickets.
 *
 * @param typeNumber kind of the frame, a known one
 * @param requestId chosen by the caller, repeated by the reply
 * @param ticketed whether the body begins with tickets
 */
public record FramePrefix(
    int typeNumber,
    long requestId,
    int bodyBytes,
    int payloadBytes,
    int bodyCrc,
    boolean ticketed) {
  /** Length on the wire. */
  public static final int BYTES = 32;

  /** Longest body. */
  public static final int BODY_BYTES_MAX = 16 << 20;

  /** Longest payload: that of a batch of reads. An update has one chunk's at most. */
  public static final int PAYLOAD_BYTES_MAX = 256 << 20;

  static final int MAGIC = 'L' | 'C' << 8 | 'L' << 16 | '1' << 24;
  static final int VERSION = 1;
  private static final int CRC_OFFSET = 28;

  /** A prefix of a frame without tickets. */
  FramePrefix(int typeNumber, long requestId, int bodyBytes, int payloadBytes, int bodyCrc) {
    this(typeNumber, requestId, bodyBytes, payloadBytes, bodyCrc, false);
  }

  /** Writes at the buffer's position, which moves on by {@link #BYTES}. */
  void encode(ByteBuffer target) {
    ByteBuffer out = target.slice(target.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC);
    out.put((byte) VERSION);
    out.put((byte) typeNumber);
    out.putShort((short) (ticketed ? 1 : 0));
    out.putLong(requestId);
    out.putInt(bodyBytes);
    out.putInt(payloadBytes);
    out.putInt(bodyCrc);
    out.putInt(crc(out.slice(0, CRC_OFFSET)));
    target.position(target.position() + BYTES);
  }

  /**
   * Reads at the buffer's position, which moves on by {@link #BYTES}.
   *
   * @throws LuciolaException MALFORMED_FRAME, after which nothing that follows on the connection
   *     has a meaning
   */
  public static FramePrefix decode(ByteBuffer source) {
    if (source.remaining() < BYTES) {
      throw malformed("too short", "bytes", source.remaining());
    }
    ByteBuffer in = source.slice(source.position(), BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.position(source.position() + BYTES);
    require(in.getInt(0) == MAGIC, "wrong magic", "magic", in.getInt(0));
    require(in.get(4) == VERSION, "unknown version", "version", in.get(4) & 0xff);
    require(
        in.getInt(CRC_OFFSET) == crc(in.slice(0, CRC_OFFSET)), "bad checksum", "type", in.get(5));
    int flags = in.getShort(6) & 0xffff;
    boolean request = (in.get(5) & 0x80) == 0;
    require(flags == 0 || (flags == 1 && request), "unknown flags", "flags", flags);
    int bodyBytes = in.getInt(16);
    int payloadBytes = in.getInt(20);
    require(bodyBytes >= 0 && bodyBytes <= BODY_BYTES_MAX, "bad length", "bodyBytes", bodyBytes);
    require(
        payloadBytes >= 0 && payloadBytes <= PAYLOAD_BYTES_MAX,
        "bad length",
        "payloadBytes",
        payloadBytes);
    FrameType type = FrameType.ofNumber(in.get(5) & 0xff);
    return new FramePrefix(
        type.number(), in.getLong(8), bodyBytes, payloadBytes, in.getInt(24), flags == 1);
  }

  static int crc(ByteBuffer bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static void require(boolean good, String what, String name, long value) {
    if (!good) {
      throw malformed(what, name, value);
    }
  }

  private static LuciolaException malformed(String what, String name, long value) {
    return new LuciolaException(
        ErrorCode.MALFORMED_FRAME, "decode frame prefix: " + what + ": " + name + "=" + value);
  }
}
