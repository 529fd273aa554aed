package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * What a replica asks the head of its chain before it serves a read of a pending chunk.
 *
 * <pre>
 *   VERSION        chain i32 | chain version i32 | target i64 | inode i64 | chunk index i32
 *   VERSION_REPLY  code u16 | committed i64 | chain version i32
 * </pre>
 */
final class VersionLayout {
  private VersionLayout() {}

  static void encode(BodyWriter out, VersionRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.target())
        .chunk(request.chunk());
  }

  static VersionRequest decode(BodyReader in) {
    return new VersionRequest(in.chain(), in.chainVersion(), in.target(), in.chunk());
  }

  static void encode(BodyWriter out, VersionReply reply) {
    out.code(reply.code()).i64(reply.committed().value()).i32(reply.chainVersion());
  }

  static VersionReply decodeReply(BodyReader in) {
    return new VersionReply(in.code(), new ChunkVersion(in.i64()), in.i32());
  }
}
