package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * Reads in batches. Payload of the reply: the results' bytes in order, without gaps.
 *
 * <pre>
 *   READ        count u32 | count x range
 *   range       chain i32 | chain version i32 | target i64 | inode i64 | chunk index i32
 *               | offset i32 | length i32                                          (36 bytes)
 *   READ_REPLY  code u16 | count u32 | count x result
 *   result      code u16 | version i64 | chunk bytes i32 | data bytes i32
 *               | checksums: count u32, count x u32                       (22 bytes or more)
 * </pre>
 */
final class ReadLayout {
  private static final int RANGE_BYTES = 36;
  private static final int RESULT_BYTES_MIN = 22;

  private ReadLayout() {}

  static void encode(BodyWriter out, ReadRequest request) {
    out.list(request.ranges(), ReadLayout::encode);
  }

  static ReadRequest decode(BodyReader in) {
    return new ReadRequest(in.list(RANGE_BYTES, ReadLayout::decodeRange));
  }

  private static void encode(BodyWriter out, ReadRequest.Range range) {
    out.chain(range.chain(), range.chainVersion())
        .target(range.target())
        .chunk(range.chunk())
        .i32(range.offset())
        .i32(range.length());
  }

  private static ReadRequest.Range decodeRange(BodyReader in) {
    return new ReadRequest.Range(
        in.chain(), in.chainVersion(), in.target(), in.chunk(), in.i32(), in.i32());
  }

  static void encode(BodyWriter out, ReadReply reply) {
    out.code(reply.code()).list(reply.results(), ReadLayout::encode);
  }

  static ReadReply decodeReply(BodyReader in) {
    return new ReadReply(in.code(), in.list(RESULT_BYTES_MIN, ReadLayout::decodeResult));
  }

  private static void encode(BodyWriter out, ReadReply.Result result) {
    out.code(result.code())
        .i64(result.version().value())
        .i32(result.chunkBytes())
        .i32(result.dataBytes())
        .checksums(result.checksums());
  }

  private static ReadReply.Result decodeResult(BodyReader in) {
    return new ReadReply.Result(
        in.code(), new ChunkVersion(in.i64()), in.i32(), in.i32(), in.checksums());
  }
}
