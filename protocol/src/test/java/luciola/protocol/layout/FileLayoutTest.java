package luciola.protocol.layout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import luciola.protocol.id.ChainTableId;
import org.junit.jupiter.api.Test;

class FileLayoutTest {
  private static FileLayout layout(int chunkBytes) {
    return new FileLayout(new ChainTableId(1), 1, chunkBytes, 3, 0, 0);
  }

  @Test
  void findsTheChunkOfAnOffset() {
    FileLayout layout = layout(1 << 16);
    assertEquals(0, layout.chunkIndex(65535));
    assertEquals(1, layout.chunkIndex(65536));
    assertEquals(65535, layout.offsetInChunk(65535));
    assertEquals(0, layout.offsetInChunk(65536));
    long far = (1L << 46) + 123;
    assertEquals(1 << 30, layout.chunkIndex(far));
    assertEquals(123, layout.offsetInChunk(far));
  }

  @Test
  void refusesAnOffsetBeyondTheLastChunk() {
    assertThrows(ArithmeticException.class, () -> layout(1 << 16).chunkIndex(1L << 47));
  }

  @Test
  void takesOnlyPowersOfTwoWithinTheLimits() {
    assertEquals(1 << 26, layout(1 << 26).chunkBytes());
    for (int bad : new int[] {0, -1, 1 << 15, 65537, 3 << 16, 1 << 27}) {
      assertThrows(IllegalArgumentException.class, () -> layout(bad));
    }
  }
}
