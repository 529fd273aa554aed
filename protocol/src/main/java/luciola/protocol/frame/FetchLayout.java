package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * A range of a chunk for a repair.
 *
 * <pre>
 *   FETCH  chain i32 | target i64 | inode i64 | chunk index i32 | version i64 | offset i32 | length i32
 * </pre>
 *
 * Answered by a READ_REPLY.
 */
final class FetchLayout {
  private FetchLayout() {}

  static void encode(BodyWriter out, FetchRequest request) {
    out.i32(request.chain().value())
        .target(request.target())
        .chunk(request.chunk())
        .i64(request.version().value())
        .i32(request.offset())
        .i32(request.length());
  }

  static FetchRequest decode(BodyReader in) {
    return new FetchRequest(
        in.chain(), in.target(), in.chunk(), new ChunkVersion(in.i64()), in.i32(), in.i32());
  }
}
