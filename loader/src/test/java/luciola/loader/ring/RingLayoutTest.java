package luciola.loader.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Random;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class RingLayoutTest {
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final RingLayout layout = new RingLayout(64, 8192);
  private final MemorySegment region = Arena.ofAuto().allocate(layout.regionBytes(), 4096);

  private static String hex(MemorySegment from, long at, int bytes) {
    return HexFormat.of().formatHex(from.asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void theFirstPageIsAsItIsWrittenDown() {
    layout.encode(region);
    assertEquals("4c524e47" + "01000000" + "40000000" + "00000000", hex(region, 0, 16));
    assertEquals(
        "0010000000000000" + "0020000000000000" + "0030000000000000" + "0020000000000000",
        hex(region, 16, 32));
    for (int counter : new int[] {128, 256, 384, 512}) {
      assertEquals("80ffffff", hex(region, counter, 4), "counter at " + counter);
    }
    assertEquals("00000000", hex(region, 640, 4));
    assertEquals("00000000", hex(region, 768, 4));
    assertEquals(3 * 4096 + 8192, layout.regionBytes());
    assertEquals(layout, RingLayout.decode(region));
  }

  @Test
  void entriesAreAsTheyAreWrittenDown() {
    Submission submission = Submission.write(7, 0x1122334455L, 0x2000, 0x1000, -2);
    long at = layout.submissionAt(layout.firstNumber() + 65);
    assertEquals(4096 + 64, at);
    RingLayout.encode(region, at, submission);
    assertEquals(
        "02000000"
            + "07000000"
            + "5544332211000000"
            + "0020000000000000"
            + "00100000"
            + "00000000"
            + "feffffffffffffff"
            + "00".repeat(24),
        hex(region, at, 64));
    assertEquals(submission, RingLayout.submission(region, at));
    Completion completion = new Completion(-2, -22);
    long there = layout.completionAt(-1);
    assertEquals(8192 + 63 * 16, there);
    RingLayout.encode(region, there, completion);
    assertEquals("feffffffffffffff" + "eaffffffffffffff", hex(region, there, 16));
    assertEquals(completion, RingLayout.completion(region, there));
  }

  @Test
  void whatIsNoRingOrAnotherVersionIsRefused() {
    assertEquals(ErrorCode.MALFORMED_FRAME, refused(region));
    assertEquals(ErrorCode.MALFORMED_FRAME, refused(region.asSlice(0, 64)));
    layout.encode(region);
    region.set(ValueLayout.JAVA_BYTE, 4, (byte) 2);
    assertEquals(ErrorCode.UNSUPPORTED, refused(region));
    layout.encode(region);
    region.set(U64, 32, 4096);
    assertEquals(ErrorCode.MALFORMED_FRAME, refused(region));
    layout.encode(region);
    assertEquals(ErrorCode.MALFORMED_FRAME, refused(region.asSlice(0, 4096)));
    assertThrows(IllegalArgumentException.class, () -> new RingLayout(3, 4096));
    assertThrows(IllegalArgumentException.class, () -> new RingLayout(4, 4097));
  }

  private static ErrorCode refused(MemorySegment region) {
    return assertThrows(LuciolaException.class, () -> RingLayout.decode(region)).code();
  }

  @Test
  void everyReservedWordIsSeen() {
    long at = layout.submissionAt(0);
    RingLayout.encode(region, at, Submission.read(1, 0, 0, 10, 5));
    assertEquals(ErrorCode.OK, RingLayout.submission(region, at).check(8192, 4096));
    for (int reserved = 28; reserved < 64; reserved++) {
      if (reserved < 32 || reserved >= 40) {
        region.set(ValueLayout.JAVA_BYTE, at + reserved, (byte) 1);
        assertEquals(
            ErrorCode.INVALID_ARGUMENT,
            RingLayout.submission(region, at).check(8192, 4096),
            "byte " + reserved);
        region.set(ValueLayout.JAVA_BYTE, at + reserved, (byte) 0);
      }
    }
  }

  @Test
  void edgesAreTakenAndWhatIsPastThemIsNot() {
    int most = 4096;
    assertEquals(ErrorCode.OK, Submission.read(1, 0, 0, 0, 0).check(8192, most));
    assertEquals(ErrorCode.OK, Submission.read(1, 0, 8192, 0, 0).check(8192, most));
    assertEquals(ErrorCode.OK, Submission.read(1, 0, 4096, 4096, 0).check(8192, most));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, Submission.read(1, 0, 4097, 4096, 0).check(8192, most));
    assertEquals(ErrorCode.INVALID_ARGUMENT, Submission.read(1, 0, 0, 4097, 0).check(8192, most));
    assertEquals(ErrorCode.INVALID_ARGUMENT, Submission.read(1, 0, -1, 1, 0).check(8192, most));
    assertEquals(ErrorCode.INVALID_ARGUMENT, Submission.read(1, 0, 0, -1, 0).check(8192, most));
    assertEquals(ErrorCode.INVALID_ARGUMENT, Submission.read(1, -1, 0, 1, 0).check(8192, most));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, Submission.read(1, Long.MAX_VALUE, 0, 1, 0).check(8192, most));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, Submission.read(1, 0, Long.MAX_VALUE, 1, 0).check(8192, most));
    assertEquals(ErrorCode.OK, Submission.sync(1, 9).check(8192, most));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT,
        new Submission(Submission.SYNC, 1, 0, 0, 1, 0, 0).check(8192, most));
    assertEquals(ErrorCode.UNSUPPORTED, new Submission(0, 1, 0, 0, 1, 0, 0).check(8192, most));
    assertEquals(ErrorCode.UNSUPPORTED, new Submission(4, 1, 0, 0, 1, 0, 0).check(8192, most));
    assertEquals(ErrorCode.UNSUPPORTED, new Submission(-1, 1, 0, 0, 1, 0, 0).check(8192, most));
  }

  /** Whatever is in an entry: what passes the check lies inside, whichever words are nonsense. */
  @Test
  void noEntryThatPassesPointsOutside() {
    Random random = new Random(11);
    long[] edges = {
      0, 1, 4095, 4096, 8191, 8192, 8193, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32
    };
    byte[] bytes = new byte[64];
    long at = layout.submissionAt(3);
    int passed = 0;
    for (int i = 0; i < 300_000; i++) {
      random.nextBytes(bytes);
      ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      if (random.nextInt(10) > 0) {
        words.putInt(0, random.nextInt(5));
        words.putInt(28, 0).putLong(40, 0).putLong(48, 0).putLong(56, 0);
        words.putLong(8, edges[random.nextInt(edges.length)]);
        words.putLong(16, edges[random.nextInt(edges.length)]);
        words.putInt(24, (int) edges[random.nextInt(edges.length)]);
      }
      MemorySegment.copy(MemorySegment.ofArray(bytes), 0, region, at, 64);
      Submission submission = RingLayout.submission(region, at);
      if (submission.check(8192, 4096) == ErrorCode.OK) {
        passed++;
        assertTrue(submission.length() >= 0 && submission.length() <= 4096, submission.toString());
        assertTrue(submission.offset() >= 0, submission.toString());
        assertTrue(submission.offset() + submission.length() >= 0, submission.toString());
        MemorySegment inside =
            region.asSlice(layout.dataAt(), 8192).asSlice(submission.place(), submission.length());
        assertEquals(submission.length(), inside.byteSize());
      }
    }
    assertTrue(passed > 1000, "passed=" + passed);
  }

  @Test
  void countersOfAnHonestOwnerPassAcrossTheirEnd() {
    Random random = new Random(3);
    RingIndices indices = new RingIndices(8, -20);
    int put = -20;
    int completed = -20;
    int seen = -20;
    for (int step = 0; step < 100_000; step++) {
      put += random.nextInt(8 - (put - seen) + 1);
      int ready = indices.ready(put, seen);
      assertEquals(put - indices.taken(), ready);
      indices.took(ready);
      completed += random.nextInt(put - completed + 1);
      seen += random.nextInt(completed - seen + 1);
    }
    assertTrue(put > 100, "it has gone round: put=" + put);
  }

  @Test
  void countersThatCannotBeEndTheRing() {
    int[][] wrong = {
      {101 + 8, 100}, // more under way than there are entries
      {99, 100}, // fewer than were taken
      {100, 101}, // completions taken that are of nothing
      {100, 91}, // completions given back
      {0, 100},
      {100, 0},
      {Integer.MAX_VALUE, Integer.MIN_VALUE},
      {-1, -1},
    };
    for (int[] each : wrong) {
      RingIndices indices = new RingIndices(8, 100);
      LuciolaException fault =
          assertThrows(
              LuciolaException.class,
              () -> indices.ready(each[0], each[1]),
              each[0] + " " + each[1]);
      assertEquals(ErrorCode.MALFORMED_FRAME, fault.code());
      assertTrue(String.valueOf(fault.getMessage()).contains("submissionsPut="));
    }
    assertEquals(8, new RingIndices(8, 100).ready(108, 100));
  }
}
