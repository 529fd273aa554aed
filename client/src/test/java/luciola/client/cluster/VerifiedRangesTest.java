package luciola.client.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class VerifiedRangesTest {
  private static final int ROUNDS = 300;

  private final Arena arena = Arena.ofConfined();
  private final SplittableRandom random = new SplittableRandom(7);

  @AfterEach
  void free() {
    arena.close();
  }

  private ChunkRange range(int offset, int bytes) {
    MemorySegment into = arena.allocate(bytes);
    for (int i = 0; i < bytes; i++) {
      into.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    return new ChunkRange(new ChainId(1), new ChunkId(new InodeId(5), 0), offset, into);
  }

  /** What a server says of the first bytes of a range. */
  private static ReadReply.Result result(ChunkRange range, int bytes) {
    int[] sums = Granules.checksums(range.offset(), range.into().asSlice(0, bytes));
    return new ReadReply.Result(ErrorCode.OK, new ChunkVersion(1), 1 << 22, bytes, sums);
  }

  private static void flip(ChunkRange range, int at) {
    byte old = range.into().get(ValueLayout.JAVA_BYTE, at);
    range.into().set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 0x10));
  }

  private static ReadReply reply(List<ReadReply.Result> results) {
    return new ReadReply(ErrorCode.OK, results);
  }

  /** Tells of all bytes, in steps of any length. */
  private void arriveInSteps(VerifiedRanges verified, ReadReply reply) {
    int all = reply.results().stream().mapToInt(ReadReply.Result::dataBytes).sum();
    int bytes = 0;
    while (bytes < all) {
      bytes = Math.min(all, bytes + 1 + random.nextInt(random.nextBoolean() ? 100_000 : 1_000));
      verified.arrived(reply, bytes);
    }
  }

  @Test
  void findsTheFirstBadPieceHoweverTheBytesArrive() {
    for (int round = 0; round < ROUNDS; round++) {
      List<ChunkRange> ranges = new ArrayList<>();
      List<ReadReply.Result> results = new ArrayList<>();
      List<Integer> expected = new ArrayList<>();
      for (int i = random.nextInt(1, 5); i > 0; i--) {
        ChunkRange range = range(random.nextInt(3 * Granules.BYTES), random.nextInt(1, 100_000));
        int bytes = random.nextInt(4) == 0 ? 0 : random.nextInt(range.bytes() + 1);
        ReadReply.Result result = result(range, bytes);
        if (bytes > 0 && random.nextBoolean()) {
          flip(range, random.nextInt(bytes));
        }
        ranges.add(range);
        results.add(result);
        expected.add(
            Granules.firstMismatch(
                range.offset(), range.into().asSlice(0, bytes), result.checksums()));
      }
      var verified = new VerifiedRanges(ranges);
      ReadReply reply = reply(results);
      if (random.nextInt(4) > 0) {
        arriveInSteps(verified, reply);
      }
      for (int i = 0; i < ranges.size(); i++) {
        assertEquals(
            expected.get(i), verified.firstMismatch(i, results.get(i)), "round=" + round + " " + i);
      }
    }
  }

  @Test
  void verifiesWhileBytesArriveAndOnlyOnce() {
    ChunkRange range = range(0, 10 * Granules.BYTES);
    ReadReply.Result result = result(range, range.bytes());
    var verified = new VerifiedRanges(List.of(range));
    verified.arrived(reply(List.of(result)), 4 * Granules.BYTES + 1);
    flip(range, 4 * Granules.BYTES - 1);
    assertEquals(-1, verified.firstMismatch(0, result));

    var later = new VerifiedRanges(List.of(range));
    later.arrived(reply(List.of(result)), 2 * Granules.BYTES);
    assertEquals(3, later.firstMismatch(0, result));
  }

  @Test
  void refusesAnotherNumberOfChecksums() {
    ChunkRange range = range(100, 5 * Granules.BYTES);
    ReadReply.Result right = result(range, range.bytes());
    for (int length : new int[] {0, 5, 7}) {
      var result =
          new ReadReply.Result(
              ErrorCode.OK,
              right.version(),
              right.chunkBytes(),
              right.dataBytes(),
              Arrays.copyOf(right.checksums(), length));
      var verified = new VerifiedRanges(List.of(range));
      verified.arrived(reply(List.of(result)), range.bytes());
      assertEquals(0, verified.firstMismatch(0, result), "length=" + length);
    }
  }

  @Test
  void mindsNoReplyOfAnotherShape() {
    ChunkRange range = range(0, Granules.BYTES);
    ReadReply.Result result = result(range, range.bytes());
    var verified = new VerifiedRanges(List.of(range));
    verified.arrived(reply(List.of(result, result)), 2 * Granules.BYTES);
    assertEquals(-1, verified.firstMismatch(0, result));
  }
}
