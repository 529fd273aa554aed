package luciola.protocol.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GranulesTest {
  @Test
  void theChecksumIsCrc32c() {
    byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
    assertEquals(0xE3069283, Granules.crc(MemorySegment.ofArray(check)));
    assertEquals(0x8A9136AA, Granules.crc(MemorySegment.ofArray(new byte[32]))); // RFC 3720, B.4
  }

  @Test
  void piecesAreCutAtTheGranulesOfTheChunk() {
    assertEquals(0, Granules.count(5, 0));
    assertEquals(1, Granules.count(0, 16384));
    assertEquals(2, Granules.count(16383, 2));
    assertEquals(3, Granules.count(16383, 16386));
    assertEquals(1, Granules.pieceBytes(16383, 16386, 0));
    assertEquals(16384, Granules.pieceBytes(16383, 16386, 1));
    assertEquals(1, Granules.pieceBytes(16383, 16386, 2));
    assertEquals(0, Granules.pieceOffset(16383, 0));
    assertEquals(1, Granules.pieceOffset(16383, 1));
    assertEquals(16385, Granules.pieceOffset(16383, 2));
  }

  @Test
  void piecesCoverTheRangeWithoutGapOrOverlap() {
    var random = new Random(1);
    for (int round = 0; round < 2000; round++) {
      int offset = random.nextInt(300_000);
      int length = 1 + random.nextInt(400_000);
      int at = 0;
      for (int piece = 0; piece < Granules.count(offset, length); piece++) {
        assertEquals(at, Granules.pieceOffset(offset, piece));
        at += Granules.pieceBytes(offset, length, piece);
      }
      assertEquals(length, at);
    }
  }

  @Test
  void aRangeOfWholeGranulesHasTheChunksOwnChecksums() {
    byte[] chunk = new byte[5 * Granules.BYTES];
    new Random(2).nextBytes(chunk);
    int[] all = Granules.checksums(0, MemorySegment.ofArray(chunk));
    MemorySegment middle =
        MemorySegment.ofArray(chunk).asSlice(Granules.BYTES, 2L * Granules.BYTES);
    assertArrayEquals(Arrays.copyOfRange(all, 1, 3), Granules.checksums(Granules.BYTES, middle));
  }

  @Test
  void findsTheFirstPieceWithAnotherChecksum() {
    byte[] data = new byte[200_000];
    new Random(3).nextBytes(data);
    MemorySegment segment = MemorySegment.ofArray(data);
    int[] sums = Granules.checksums(1000, segment);
    assertEquals(-1, Granules.firstMismatch(1000, segment, sums));
    data[199_999] ^= 1;
    assertEquals(sums.length - 1, Granules.firstMismatch(1000, segment, sums));
    data[20_000] ^= 1;
    assertEquals(1, Granules.firstMismatch(1000, segment, sums));
    assertEquals(0, Granules.firstMismatch(1000, segment, new int[0]));
  }
}
