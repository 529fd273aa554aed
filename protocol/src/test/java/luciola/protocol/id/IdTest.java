package luciola.protocol.id;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;

class IdTest {
  @Test
  void idsThatAreNeverReusedStartAtOne() {
    List<LongFunction<?>> kinds =
        List.of(
            TargetId::new,
            NodeId::new,
            InodeId::new,
            value -> new ChainId((int) value),
            value -> new ChainTableId((int) value),
            value -> new ChainVersion((int) value));
    for (LongFunction<?> kind : kinds) {
      assertEquals("7", kind.apply(7).toString());
      assertThrows(IllegalArgumentException.class, () -> kind.apply(0));
      assertThrows(IllegalArgumentException.class, () -> kind.apply(-1));
    }
  }

  @Test
  void randomNumbersAreNotZero() {
    assertThrows(IllegalArgumentException.class, () -> new ClientId(0));
    assertThrows(IllegalArgumentException.class, () -> new ClusterId(0));
    assertEquals(-5, new ClientId(-5).value());
  }

  @Test
  void versionsGrowByOne() {
    assertEquals(new ChunkVersion(1), ChunkVersion.NONE.next());
    assertEquals(new ChainVersion(3), new ChainVersion(2).next());
    assertTrue(new ChunkVersion(2).compareTo(new ChunkVersion(10)) < 0);
    assertTrue(new ChainVersion(10).compareTo(new ChainVersion(2)) > 0);
    assertThrows(IllegalArgumentException.class, () -> new ChunkVersion(-1));
  }
}
