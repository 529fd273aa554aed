package luciola.protocol.frame;

import luciola.protocol.id.ChunkVersion;

/**
 * Course of a resync.
 *
 * <pre>
 *   SYNC_START  chain i32 | chain version i32 | from i64 | to i64
 *   SYNC_DONE   chain i32 | chain version i32 | from i64 | to i64 | floor i64
 *   DEDUP       chain i32 | chain version i32 | from i64 | to i64 | count u32 | count x record
 *   record      tag (client i64, channel i32, sequence i64) | inode i64 | chunk index i32
 *               | version i64 | chunk bytes i32                                    (44 bytes)
 *   SYNC_REPLY  code u16 | chain version i32
 * </pre>
 */
final class SyncLayout {
  private static final int RECORD_BYTES = 44;

  private SyncLayout() {}

  static void encode(BodyWriter out, SyncStartRequest request) {
    out.chain(request.chain(), request.chainVersion()).target(request.from()).target(request.to());
  }

  static SyncStartRequest decodeStart(BodyReader in) {
    return new SyncStartRequest(in.chain(), in.chainVersion(), in.target(), in.target());
  }

  static void encode(BodyWriter out, SyncDoneRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.from())
        .target(request.to())
        .i64(request.floor().value());
  }

  static SyncDoneRequest decodeDone(BodyReader in) {
    return new SyncDoneRequest(
        in.chain(), in.chainVersion(), in.target(), in.target(), new ChunkVersion(in.i64()));
  }

  static void encode(BodyWriter out, DedupRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.from())
        .target(request.to())
        .list(request.records(), SyncLayout::encode);
  }

  static DedupRequest decodeDedup(BodyReader in) {
    return new DedupRequest(
        in.chain(),
        in.chainVersion(),
        in.target(),
        in.target(),
        in.list(RECORD_BYTES, SyncLayout::decodeRecord));
  }

  static void encode(BodyWriter out, SyncReply reply) {
    out.code(reply.code()).i32(reply.chainVersion());
  }

  static SyncReply decodeReply(BodyReader in) {
    return new SyncReply(in.code(), in.i32());
  }

  private static void encode(BodyWriter out, DedupRecord each) {
    UpdateLayout.encode(out, each.tag());
    out.chunk(each.chunk()).i64(each.version().value()).i32(each.chunkBytes());
  }

  private static DedupRecord decodeRecord(BodyReader in) {
    return new DedupRecord(
        UpdateLayout.decodeTag(in), in.chunk(), new ChunkVersion(in.i64()), in.i32());
  }
}
