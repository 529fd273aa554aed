package luciola.cli.soak.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class BlockBytesTest {
  private static final BlockPlace PLACE = new BlockPlace(7, 3, 10_000, 5000);

  private static MemorySegment bytes(BlockPlace place, BlockValue value) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[place.bytes()]);
    BlockBytes.fill(bytes, place, value);
    return bytes;
  }

  private static boolean holds(MemorySegment found, BlockValue value) {
    return BlockBytes.holds(found, PLACE, value, MemorySegment.ofArray(new byte[PLACE.bytes()]));
  }

  private static String described(MemorySegment found) {
    return BlockBytes.describe(found, PLACE, MemorySegment.ofArray(new byte[PLACE.bytes()]));
  }

  @Test
  void theBytesAreAlwaysTheSame() {
    byte[] head =
        bytes(new BlockPlace(1, 2, 3, 64), new BlockValue.Written(4))
            .asSlice(0, 48)
            .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    assertEquals(
        "4c4c4f4f424c4b31" // magic
            + "0100000000000000" // run
            + "0200000000000000" // file
            + "0300000000000000" // offset
            + "0400000000000000" // sequence
            + "40000000",
        HexFormat.of().formatHex(head, 0, 44));
  }

  @Test
  void everyFlippedBitIsFound() {
    var value = new BlockValue.Written(9);
    for (int at : new int[] {0, 8, 16, 24, 32, 40, 44, 48, 1000, 4096, 4999}) {
      MemorySegment block = bytes(PLACE, value);
      assertTrue(holds(block, value));
      byte old = block.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at);
      block.set(java.lang.foreign.ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1));
      assertFalse(holds(block, value), "at=" + at);
    }
  }

  @Test
  void blocksOfOtherPlacesAndWritesAreOthers() {
    MemorySegment block = bytes(PLACE, new BlockValue.Written(9));
    assertFalse(holds(block, new BlockValue.Written(8)));
    assertFalse(holds(block, new BlockValue.Zeros()));
    assertFalse(
        holds(
            bytes(new BlockPlace(7, 4, 10_000, 5000), new BlockValue.Written(9)),
            new BlockValue.Written(9)));
    assertTrue(holds(bytes(PLACE, new BlockValue.Zeros()), new BlockValue.Zeros()));
    var front = new BlockValue.Front(9, 1234);
    assertTrue(holds(bytes(PLACE, front), front));
    assertFalse(holds(bytes(PLACE, front), new BlockValue.Front(9, 1235)));
  }

  @Test
  void aBlockSaysWhereItBelongs() {
    assertEquals("this block's write 9, whole", described(bytes(PLACE, new BlockValue.Written(9))));
    assertEquals(
        "run=7 file=4 offset=10000 bytes=5000 write 9, whole",
        described(bytes(new BlockPlace(7, 4, 10_000, 5000), new BlockValue.Written(9))));
    assertEquals("zeros", described(bytes(PLACE, new BlockValue.Zeros())));
  }

  @Test
  void aTornBlockSaysWhichPageIsWhose() {
    MemorySegment block = bytes(PLACE, new BlockValue.Written(9));
    MemorySegment older = bytes(PLACE, new BlockValue.Written(8));
    int secondPage = 12_288 - 10_000;
    MemorySegment.copy(older, secondPage, block, secondPage, PLACE.bytes() - secondPage);
    assertEquals(
        "this block's write 9, torn: pages [9 8] starting 1808 bytes into a page",
        described(block));
  }
}
