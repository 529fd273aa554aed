package luciola.protocol.id;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChunkIdTest {
  private static ChunkId id(long inode, int index) {
    return new ChunkId(new InodeId(inode), index);
  }

  @Test
  void hasItsGoldenBytes() {
    byte[] golden = HexFormat.of().parseHex("11223344556677880000000900000000");
    assertArrayEquals(golden, id(0x1122334455667788L, 9).toBytes());
    assertEquals(id(0x1122334455667788L, 9), ChunkId.fromBytes(golden));
  }

  @Test
  void bytesSortAsIdsDo() {
    var random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      ChunkId a = id(1 + random.nextInt(3), random.nextInt(3) << random.nextInt(28));
      ChunkId b = id(1 + random.nextInt(3), random.nextInt(3) << random.nextInt(28));
      assertEquals(
          Integer.signum(a.compareTo(b)),
          Integer.signum(Arrays.compareUnsigned(a.toBytes(), b.toBytes())),
          () -> a + " " + b);
    }
  }

  @Test
  void refusesBytesThatAreNoId() {
    byte[] bytes = id(1, 2).toBytes();
    assertThrows(IllegalArgumentException.class, () -> ChunkId.fromBytes(Arrays.copyOf(bytes, 15)));
    assertThrows(IllegalArgumentException.class, () -> ChunkId.fromBytes(Arrays.copyOf(bytes, 17)));
    bytes[15] = 1;
    assertThrows(IllegalArgumentException.class, () -> ChunkId.fromBytes(bytes));
    assertThrows(IllegalArgumentException.class, () -> id(1, -1));
  }
}
