package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * Collection of tombstones.
 *
 * <pre>
 *   COLLECT        chain i32 | chain version i32 | from i64 | to i64 | collection i32 | floor i64
 *                  | count u32 | count x removed
 *   FORGET         chain i32 | chain version i32 | from i64 | to i64 | collection i32
 *                  | count u32 | count x removed
 *   removed        inode i64 | chunk index i32 | version i64                       (20 bytes)
 *   COLLECT_REPLY  code u16 | chain version i32 | count u32 | count x yes u8 (0, 1)
 * </pre>
 */
final class CollectLayout {
  private static final int REMOVED_BYTES = 20;

  private CollectLayout() {}

  static void encode(BodyWriter out, CollectRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.from())
        .target(request.to())
        .i32(request.collection())
        .i64(request.floor().value())
        .list(request.removed(), CollectLayout::encode);
  }

  static CollectRequest decode(BodyReader in) {
    return new CollectRequest(
        in.chain(),
        in.chainVersion(),
        in.target(),
        in.target(),
        in.i32(),
        new ChunkVersion(in.i64()),
        in.list(REMOVED_BYTES, CollectLayout::decodeRemoved));
  }

  static void encode(BodyWriter out, ForgetRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.from())
        .target(request.to())
        .i32(request.collection())
        .list(request.removed(), CollectLayout::encode);
  }

  static ForgetRequest decodeForget(BodyReader in) {
    return new ForgetRequest(
        in.chain(),
        in.chainVersion(),
        in.target(),
        in.target(),
        in.i32(),
        in.list(REMOVED_BYTES, CollectLayout::decodeRemoved));
  }

  static void encode(BodyWriter out, CollectReply reply) {
    out.code(reply.code()).i32(reply.chainVersion()).list(reply.yes(), BodyWriter::bool);
  }

  static CollectReply decodeReply(BodyReader in) {
    return new CollectReply(in.code(), in.i32(), in.list(1, BodyReader::bool));
  }

  private static void encode(BodyWriter out, RemovedChunk each) {
    out.chunk(each.chunk()).i64(each.version().value());
  }

  private static RemovedChunk decodeRemoved(BodyReader in) {
    return new RemovedChunk(in.chunk(), new ChunkVersion(in.i64()));
  }
}
