package luciola.protocol.frame;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

/** Holds the codec against bytes that were made from the documented layout by other means. */
class FrameCodecTest {
  private static final long REQUEST_ID = 0x0102030405060708L;
  private static final long BIG = 0x1122334455667788L;
  private static final ChainId CHAIN = new ChainId(3);
  private static final ChainVersion CHAIN_VERSION = new ChainVersion(4);
  private static final TargetId FIVE = new TargetId(5);
  private static final TargetId SIX = new TargetId(6);

  private static Map<String, Frame> frames() {
    var write = new Update.Write(4096, 70000, 1 << 22);
    var tag = new UpdateTag(new ClientId(8), 9, 10);
    var frames = new LinkedHashMap<String, Frame>();
    frames.put("hello", new Hello(new ClusterId(-2), 1, BIG));
    frames.put(
        "read",
        new ReadRequest(
            List.of(
                new ReadRequest.Range(CHAIN, CHAIN_VERSION, FIVE, chunk(BIG, 6), 7, 8),
                new ReadRequest.Range(
                    new ChainId(9),
                    new ChainVersion(10),
                    new TargetId(11),
                    chunk(12, 13),
                    65535,
                    65536))));
    frames.put(
        "update-write", update(new UpdateTag(new ClientId(-8), 9, 10), write, 0xDEADBEEF, 1));
    frames.put("update-truncate", update(tag, new Update.Truncate(77)));
    frames.put("update-remove", update(tag, new Update.Remove()));
    frames.put(
        "forward",
        new ForwardRequest(
            CHAIN,
            CHAIN_VERSION,
            FIVE,
            SIX,
            chunk(7, 8),
            new ChunkVersion(9),
            new ChunkVersion(10),
            Optional.of(new UpdateTag(new ClientId(11), 12, 13)),
            write,
            false,
            new ChainVersion(14),
            17,
            new int[] {15, 16}));
    frames.put(
        "forward-copy",
        new ForwardRequest(
            CHAIN,
            CHAIN_VERSION,
            FIVE,
            SIX,
            chunk(7, 8),
            new ChunkVersion(9),
            ChunkVersion.NONE,
            Optional.empty(),
            new Update.Replace(1000, false),
            true,
            new ChainVersion(14),
            0,
            new int[] {15}));
    frames.put(
        "version",
        new VersionRequest(CHAIN, CHAIN_VERSION, FIVE, List.of(chunk(6, 7), chunk(BIG, 8))));
    frames.put(
        "chunk-list", new ChunkListRequest(CHAIN, CHAIN_VERSION, FIVE, new InodeId(6), 7, 8));
    frames.put("sync-start", new SyncStartRequest(CHAIN, CHAIN_VERSION, FIVE, SIX));
    frames.put("inventory", new InventoryRequest(CHAIN, CHAIN_VERSION, FIVE, Optional.empty(), 6));
    frames.put(
        "inventory-after",
        new InventoryRequest(CHAIN, CHAIN_VERSION, FIVE, Optional.of(chunk(7, 8)), 6));
    frames.put(
        "dedup",
        new DedupRequest(
            CHAIN,
            CHAIN_VERSION,
            FIVE,
            SIX,
            List.of(
                new DedupRecord(
                    new UpdateTag(new ClientId(7), 8, 9),
                    chunk(10, 11),
                    new ChunkVersion(12),
                    13))));
    frames.put(
        "sync-done", new SyncDoneRequest(CHAIN, CHAIN_VERSION, FIVE, SIX, new ChunkVersion(BIG)));
    var removed = new RemovedChunk(chunk(8, 9), new ChunkVersion(10));
    frames.put(
        "collect",
        new CollectRequest(
            CHAIN,
            CHAIN_VERSION,
            FIVE,
            SIX,
            7,
            new ChunkVersion(BIG),
            List.of(removed, new RemovedChunk(chunk(BIG, 11), new ChunkVersion(12)))));
    frames.put("forget", new ForgetRequest(CHAIN, CHAIN_VERSION, FIVE, SIX, 7, List.of(removed)));
    frames.put("collect-reply", new CollectReply(ErrorCode.OK, 7, List.of(true, false)));
    frames.put("hello-reply", new HelloReply(ErrorCode.OK, 5, BIG));
    frames.put(
        "read-reply",
        new ReadReply(
            ErrorCode.OK,
            List.of(
                new ReadReply.Result(
                    ErrorCode.OK, new ChunkVersion(BIG), 1 << 22, 70000, new int[] {-1, 2}),
                new ReadReply.Result(
                    ErrorCode.CHUNK_NOT_FOUND, ChunkVersion.NONE, 0, 0, new int[0]))));
    frames.put(
        "update-reply",
        new UpdateReply(ErrorCode.STALE_CHAIN_VERSION, new ChunkVersion(5), 6, 0x80000001, 7));
    frames.put(
        "fetch", new FetchRequest(CHAIN, FIVE, chunk(6, 7), new ChunkVersion(BIG), 16384, 70000));
    frames.put(
        "version-reply",
        new VersionReply(
            ErrorCode.OK,
            7,
            List.of(
                new VersionReply.Answer(ErrorCode.OK, new ChunkVersion(BIG)),
                new VersionReply.Answer(ErrorCode.CHUNK_BUSY, ChunkVersion.NONE))));
    frames.put(
        "chunk-list-reply",
        new ChunkListReply(
            ErrorCode.OK,
            List.of(new ChunkListReply.Item(0, 1 << 22), new ChunkListReply.Item(1, 17)),
            true));
    frames.put("sync-reply", new SyncReply(ErrorCode.NO_LEASE, 7));
    frames.put(
        "inventory-reply",
        new InventoryReply(
            ErrorCode.OK,
            List.of(
                new ChunkSummary(
                    chunk(5, 6),
                    new ChunkVersion(7),
                    new ChunkVersion(8),
                    9,
                    true,
                    10,
                    0xCAFEBABE)),
            false));
    return frames;
  }

  private static ChunkId chunk(long inode, int index) {
    return new ChunkId(new InodeId(inode), index);
  }

  private static UpdateRequest update(UpdateTag tag, Update update, int... checksums) {
    return new UpdateRequest(CHAIN, CHAIN_VERSION, FIVE, chunk(6, 7), tag, update, checksums);
  }

  private static Map<String, byte[]> golden() {
    try (InputStream in = FrameCodecTest.class.getResourceAsStream("golden-frames.txt")) {
      var golden = new LinkedHashMap<String, byte[]>();
      new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .forEach(line -> {
            int space = line.indexOf(' ');
            golden.put(
                line.substring(0, space), HexFormat.of().parseHex(line.substring(space + 1)));
          });
      return golden;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] bytes(ByteBuffer encoded) {
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    return bytes;
  }

  private static Frame decode(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    FramePrefix prefix = FramePrefix.decode(in);
    return FrameCodec.decode(prefix, in);
  }

  /** A frame with this body whose checksums and lengths are right, whatever is in it. */
  private static byte[] framed(int type, byte[] body, int payloadBytes) {
    ByteBuffer out = ByteBuffer.allocate(FramePrefix.BYTES + body.length);
    new FramePrefix(type, 1, body.length, payloadBytes, FramePrefix.crc(ByteBuffer.wrap(body)))
        .encode(out);
    return out.put(body).array();
  }

  /** Decodes what may be anything: the frame, or null if it was refused as it should be. */
  private static boolean decodesOrIsRefused(byte[] bytes) {
    try {
      decode(bytes);
      return true;
    } catch (LuciolaException e) {
      assertEquals(ErrorCode.MALFORMED_FRAME, e.code(), e::getMessage);
      assertTrue(e.toString().contains("="), e.toString());
      return false;
    }
  }

  private static void assertRefused(byte[] bytes) {
    LuciolaException e = assertThrows(LuciolaException.class, () -> decode(bytes));
    assertEquals(ErrorCode.MALFORMED_FRAME, e.code());
  }

  @Test
  void everyFrameHasItsGoldenBytes() {
    Map<String, byte[]> golden = golden();
    Map<String, Frame> frames = frames();
    assertEquals(golden.keySet(), frames.keySet());
    frames.forEach((name, frame) ->
        assertEquals(
            HexFormat.of().formatHex(golden.get(name)),
            HexFormat.of().formatHex(bytes(FrameCodec.encode(REQUEST_ID, frame))),
            name));
  }

  @Test
  void everyKindOfFrameIsAmongThem() {
    var seen = EnumSet.noneOf(FrameType.class);
    frames().values().forEach(frame -> seen.add(FrameType.of(frame)));
    assertEquals(EnumSet.allOf(FrameType.class), seen);
  }

  @Test
  void goldenBytesDecodeToTheSameFrame() {
    golden()
        .forEach((name, bytes) -> {
          Frame frame = decode(bytes);
          assertEquals(Objects.requireNonNull(frames().get(name)).getClass(), frame.getClass());
          assertEquals(
              HexFormat.of().formatHex(bytes),
              HexFormat.of().formatHex(bytes(FrameCodec.encode(REQUEST_ID, frame))),
              name);
        });
  }

  @Test
  void recordsWithoutArraysComeBackEqual() {
    for (Frame frame : frames().values()) {
      if (!(frame instanceof UpdateRequest
          || frame instanceof ForwardRequest
          || frame instanceof ReadReply)) {
        assertEquals(frame, decode(bytes(FrameCodec.encode(1, frame))));
      }
    }
  }

  @Test
  void anyFlippedBitIsRefused() {
    golden()
        .forEach((_, bytes) -> {
          for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] flipped = bytes.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertRefused(flipped);
          }
        });
  }

  @Test
  void anyShorterOrLongerBodyIsRefused() {
    golden()
        .forEach((_, bytes) -> {
          FramePrefix prefix = FramePrefix.decode(ByteBuffer.wrap(bytes));
          byte[] body = Arrays.copyOfRange(bytes, FramePrefix.BYTES, bytes.length);
          for (int length = 0; length < body.length; length++) {
            assertRefused(
                framed(prefix.typeNumber(), Arrays.copyOf(body, length), prefix.payloadBytes()));
          }
          assertRefused(
              framed(
                  prefix.typeNumber(),
                  Arrays.copyOf(body, body.length + 1),
                  prefix.payloadBytes()));
        });
  }

  @Test
  void bodiesWithFlippedBitsAndGoodChecksumsNeverDoAnythingElse() {
    int[] outcomes = new int[2];
    golden()
        .forEach((_, bytes) -> {
          FramePrefix prefix = FramePrefix.decode(ByteBuffer.wrap(bytes));
          byte[] body = Arrays.copyOfRange(bytes, FramePrefix.BYTES, bytes.length);
          for (int bit = 0; bit < body.length * 8; bit++) {
            byte[] flipped = body.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            boolean good =
                decodesOrIsRefused(framed(prefix.typeNumber(), flipped, prefix.payloadBytes()));
            outcomes[good ? 1 : 0]++;
          }
        });
    assertTrue(outcomes[0] > 100 && outcomes[1] > 100, Arrays.toString(outcomes));
  }

  @Test
  void randomBodiesOfEveryTypeNeverDoAnythingElse() {
    var random = new Random(4711);
    for (FrameType type : FrameType.values()) {
      for (int round = 0; round < 3000; round++) {
        byte[] body = new byte[random.nextInt(120)];
        random.nextBytes(body);
        if (random.nextBoolean()) { // small numbers get further
          for (int i = 0; i < body.length; i++) {
            body[i] = (byte) (random.nextInt(6) == 0 ? random.nextInt(4) : 0);
          }
        }
        decodesOrIsRefused(framed(type.number(), body, random.nextInt(3) * 100));
      }
    }
  }

  @Test
  void randomBytesAreRefused() {
    var random = new Random(42);
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      assertRefused(bytes);
    }
  }

  @Test
  void aLyingCountAllocatesNothing() {
    ByteBuffer body = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    for (int count : new int[] {Integer.MAX_VALUE, -1, 1 << 20, 5}) {
      body.putInt(0, count);
      assertRefused(framed(FrameType.READ.number(), body.array(), 0));
      body.putInt(2, count);
      body.putShort(0, (short) 0);
      assertRefused(framed(FrameType.READ_REPLY.number(), body.array(), 0));
    }
  }

  @Test
  void prefixesOutsideTheLimitsAreRefused() {
    for (int[] lengths :
        new int[][] {
          {FramePrefix.BODY_BYTES_MAX + 1, 0},
          {-1, 0},
          {0, FramePrefix.PAYLOAD_BYTES_MAX + 1},
          {0, -1}
        }) {
      ByteBuffer out = ByteBuffer.allocate(FramePrefix.BYTES);
      new FramePrefix(1, 1, lengths[0], lengths[1], 0).encode(out);
      assertThrows(LuciolaException.class, () -> FramePrefix.decode(out.flip()));
    }
  }

  @Test
  void aPayloadThatDoesNotFitTheFieldsIsRefused() {
    byte[] update = Objects.requireNonNull(golden().get("update-write"));
    byte[] body = Arrays.copyOfRange(update, FramePrefix.BYTES, update.length);
    assertRefused(framed(FrameType.UPDATE.number(), body, 69_999));
    byte[] hello = Objects.requireNonNull(golden().get("hello"));
    assertRefused(
        framed(
            FrameType.HELLO.number(),
            Arrays.copyOfRange(hello, FramePrefix.BYTES, hello.length),
            1));
  }

  @Test
  void framesBeyondTheLimitsAreNotEncoded() {
    var many =
        new ReadReply(
            ErrorCode.OK,
            java.util.Collections.nCopies(
                5,
                new ReadReply.Result(
                    ErrorCode.OK, ChunkVersion.NONE, 1 << 26, 1 << 26, new int[0])));
    LuciolaException payload =
        assertThrows(LuciolaException.class, () -> FrameCodec.encode(1, many));
    assertEquals(ErrorCode.INVALID_ARGUMENT, payload.code());
    var items =
        new ChunkListReply(
            ErrorCode.OK,
            java.util.Collections.nCopies(3 << 20, new ChunkListReply.Item(1, 1)),
            false);
    LuciolaException body = assertThrows(LuciolaException.class, () -> FrameCodec.encode(1, items));
    assertEquals(ErrorCode.INVALID_ARGUMENT, body.code());
  }

  @Test
  void everyRequestHasAFailureOfItsKind() {
    for (Frame frame : frames().values()) {
      if (frame instanceof Request request) {
        Reply failure = Reply.failure(request, ErrorCode.OVERLOADED);
        assertEquals(ErrorCode.OVERLOADED, failure.code());
        assertEquals(Reply.kindFor(request), failure.getClass());
        assertEquals(failure, decode(bytes(FrameCodec.encode(1, failure))));
        assertThrows(IllegalArgumentException.class, () -> Reply.failure(request, ErrorCode.OK));
      }
    }
  }
}
