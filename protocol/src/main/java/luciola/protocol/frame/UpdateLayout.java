package luciola.protocol.frame;

import java.util.Optional;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;

/**
 * Updates from clients and down the chain. Payload of both requests: the bytes of a write or of a
 * replacement.
 *
 * <pre>
 *   UPDATE        chain i32 | chain version i32 | target i64 | inode i64 | chunk index i32
 *                 | tag | update | checksums
 *   FORWARD       chain i32 | chain version i32 | from i64 | to i64 | inode i64 | chunk index i32
 *                 | version i64 | committed i64 | tagged u8 (0, 1) | tag if tagged | update
 *                 | copy u8 (0, 1) | committed chain version i32 | collection i32 | checksums
 *   UPDATE_REPLY  code u16 | version i64 | chunk bytes i32 | checksum u32 | chain version i32
 *
 *   tag           client i64 | channel i32 | sequence i64                          (20 bytes)
 *   update        kind u8, then by kind
 *                 1 write      offset i32 | length i32 | chunk bytes max i32
 *                 2 truncate   length i32
 *                 3 remove
 *                 4 replace    length i32 | removed u8 (0, 1)
 *   checksums     count u32 | count x u32
 * </pre>
 */
final class UpdateLayout {
  private static final int WRITE = 1;
  private static final int TRUNCATE = 2;
  private static final int REMOVE = 3;
  private static final int REPLACE = 4;

  private UpdateLayout() {}

  static void encode(BodyWriter out, UpdateRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.target())
        .chunk(request.chunk());
    encode(out, request.tag());
    encode(out, request.update());
    out.checksums(request.checksums());
  }

  static UpdateRequest decode(BodyReader in) {
    return new UpdateRequest(
        in.chain(),
        in.chainVersion(),
        in.target(),
        in.chunk(),
        decodeTag(in),
        decodeUpdate(in),
        in.checksums());
  }

  static void encode(BodyWriter out, ForwardRequest request) {
    out.chain(request.chain(), request.chainVersion())
        .target(request.from())
        .target(request.to())
        .chunk(request.chunk())
        .i64(request.version().value())
        .i64(request.committed().value())
        .bool(request.tag().isPresent());
    request.tag().ifPresent(tag -> encode(out, tag));
    encode(out, request.update());
    out.bool(request.copy())
        .i32(request.committedChainVersion().value())
        .i32(request.collection())
        .checksums(request.checksums());
  }

  static ForwardRequest decodeForward(BodyReader in) {
    return new ForwardRequest(
        in.chain(),
        in.chainVersion(),
        in.target(),
        in.target(),
        in.chunk(),
        new ChunkVersion(in.i64()),
        new ChunkVersion(in.i64()),
        in.bool() ? Optional.of(decodeTag(in)) : Optional.empty(),
        decodeUpdate(in),
        in.bool(),
        in.chainVersion(),
        in.i32(),
        in.checksums());
  }

  static void encode(BodyWriter out, UpdateReply reply) {
    out.code(reply.code())
        .i64(reply.version().value())
        .i32(reply.chunkBytes())
        .i32(reply.checksum())
        .i32(reply.chainVersion());
  }

  static UpdateReply decodeReply(BodyReader in) {
    return new UpdateReply(in.code(), new ChunkVersion(in.i64()), in.i32(), in.i32(), in.i32());
  }

  static void encode(BodyWriter out, UpdateTag tag) {
    out.i64(tag.client().value()).i32(tag.channel()).i64(tag.sequence());
  }

  static UpdateTag decodeTag(BodyReader in) {
    return new UpdateTag(new ClientId(in.i64()), in.i32(), in.i64());
  }

  private static void encode(BodyWriter out, Update update) {
    switch (update) {
      case Update.Write write ->
          out.u8(WRITE).i32(write.offset()).i32(write.length()).i32(write.chunkBytesMax());
      case Update.Truncate truncate -> out.u8(TRUNCATE).i32(truncate.length());
      case Update.Remove _ -> out.u8(REMOVE);
      case Update.Replace replace -> out.u8(REPLACE).i32(replace.length()).bool(replace.removed());
    }
  }

  private static Update decodeUpdate(BodyReader in) {
    int kind = in.u8();
    return switch (kind) {
      case WRITE -> new Update.Write(in.i32(), in.i32(), in.i32());
      case TRUNCATE -> new Update.Truncate(in.i32());
      case REMOVE -> new Update.Remove();
      case REPLACE -> new Update.Replace(in.i32(), in.bool());
      default -> throw in.malformed("unknown update: kind=" + kind);
    };
  }
}
