package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * What a replica asks the head of its chain before it serves reads of pending chunks.
 *
 * <pre>
 *   VERSION        chain i32 | chain version i32 | target i64 | count u32 | count x chunk
 *   chunk          inode i64 | chunk index i32                                     (12 bytes)
 *   VERSION_REPLY  code u16 | chain version i32 | count u32 | count x answer
 *   answer         code u16 | committed i64                                        (10 bytes)
 * </pre>
 */
final class VersionLayout {
  private static final int CHUNK_BYTES = 12;
  private static final int ANSWER_BYTES = 10;

  private VersionLayout() {}

  static void encode(BodyWriter out, VersionRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.target())
        .list(request.chunks(), BodyWriter::chunk);
  }

  static VersionRequest decode(BodyReader in) {
    return new VersionRequest(
        in.chain(), in.chainVersion(), in.target(), in.list(CHUNK_BYTES, BodyReader::chunk));
  }

  static void encode(BodyWriter out, VersionReply reply) {
    out.code(reply.code()).i32(reply.chainVersion()).list(reply.answers(), VersionLayout::encode);
  }

  private static void encode(BodyWriter out, VersionReply.Answer answer) {
    out.code(answer.code()).i64(answer.committed().value());
  }

  static VersionReply decodeReply(BodyReader in) {
    return new VersionReply(
        in.code(), in.i32(), in.list(ANSWER_BYTES, VersionLayout::decodeAnswer));
  }

  private static VersionReply.Answer decodeAnswer(BodyReader in) {
    return new VersionReply.Answer(in.code(), new ChunkVersion(in.i64()));
  }
}
