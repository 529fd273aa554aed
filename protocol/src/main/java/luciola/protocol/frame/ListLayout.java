package luciola.protocol.frame;

import java.util.Optional;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;

/**
 * Lists of chunks, for clients (one file's) and for resync (a chain's).
 *
 * <pre>
 *   CHUNK_LIST        chain i32 | chain version i32 | target i64 | inode i64 | first i32 | limit i32
 *   CHUNK_LIST_REPLY  code u16 | more u8 (0, 1) | count u32 | count x (index i32, bytes i32)
 *   INVENTORY         chain i32 | chain version i32 | target i64 | limit i32
 *                     | bounded u8 (0, 1) | after: inode i64, chunk index i32, if bounded
 *   INVENTORY_REPLY   code u16 | more u8 (0, 1) | count u32 | count x summary
 *   summary           inode i64 | chunk index i32 | committed i64 | newest i64 | chain version i32
 *                     | removed u8 (0, 1) | chunk bytes i32 | checksum u32         (41 bytes)
 * </pre>
 */
final class ListLayout {
  private static final int ITEM_BYTES = 8;
  private static final int SUMMARY_BYTES = 41;

  private ListLayout() {}

  static void encode(BodyWriter out, ChunkListRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.target())
        .i64(request.inode().value())
        .i32(request.first())
        .i32(request.limit());
  }

  static ChunkListRequest decode(BodyReader in) {
    return new ChunkListRequest(
        in.chain(), in.chainVersion(), in.target(), new InodeId(in.i64()), in.i32(), in.i32());
  }

  static void encode(BodyWriter out, ChunkListReply reply) {
    out.code(reply.code())
        .bool(reply.more())
        .list(reply.chunks(), (to, item) -> to.i32(item.index()).i32(item.chunkBytes()));
  }

  static ChunkListReply decodeReply(BodyReader in) {
    var code = in.code();
    boolean more = in.bool();
    var chunks = in.list(ITEM_BYTES, from -> new ChunkListReply.Item(from.i32(), from.i32()));
    return new ChunkListReply(code, chunks, more);
  }

  static void encode(BodyWriter out, InventoryRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.target())
        .i32(request.limit())
        .bool(request.after().isPresent());
    request.after().ifPresent(out::chunk);
  }

  static InventoryRequest decodeInventory(BodyReader in) {
    var chain = in.chain();
    var chainVersion = in.chainVersion();
    var target = in.target();
    int limit = in.i32();
    return new InventoryRequest(
        chain, chainVersion, target, in.bool() ? Optional.of(in.chunk()) : Optional.empty(), limit);
  }

  static void encode(BodyWriter out, InventoryReply reply) {
    out.code(reply.code()).bool(reply.more()).list(reply.chunks(), ListLayout::encode);
  }

  static InventoryReply decodeInventoryReply(BodyReader in) {
    var code = in.code();
    boolean more = in.bool();
    return new InventoryReply(code, in.list(SUMMARY_BYTES, ListLayout::decodeSummary), more);
  }

  private static void encode(BodyWriter out, ChunkSummary summary) {
    out.chunk(summary.chunk())
        .i64(summary.committed().value())
        .i64(summary.newest().value())
        .i32(summary.chainVersion())
        .bool(summary.removed())
        .i32(summary.chunkBytes())
        .i32(summary.checksum());
  }

  private static ChunkSummary decodeSummary(BodyReader in) {
    return new ChunkSummary(
        in.chunk(),
        new ChunkVersion(in.i64()),
        new ChunkVersion(in.i64()),
        in.i32(),
        in.bool(),
        in.i32(),
        in.i32());
  }
}
