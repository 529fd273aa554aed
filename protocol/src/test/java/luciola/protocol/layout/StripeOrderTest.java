package luciola.protocol.layout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

/** The vectors were computed by other code from the written definition; they hold for ever. */
class StripeOrderTest {
  @Test
  void theVectorsHold() {
    vector(1, 1, 0, 0, 0);
    vector(3, 3, 0, 0, 2, 0, 1);
    vector(3, 3, 5, 1, 2, 0, 1);
    vector(10, 4, 8, 42, 0, 8, 1, 9);
    vector(16, 16, 0, 0x123456789ABCDEF0L, 7, 6, 4, 15, 1, 0, 9, 10, 11, 12, 13, 2, 5, 14, 3, 8);
    vector(7, 7, Integer.MAX_VALUE, -1, 6, 5, 0, 3, 2, 4, 1);
    vector(300, 8, 295, Long.MIN_VALUE, 295, 296, 0, 2, 297, 1, 299, 298);
    vector(
        64, 32, 40, 2026, 44, 2, 47, 40, 55, 50, 7, 51, 63, 42, 46, 4, 56, 41, 59, 49, 48, 45, 58,
        52, 0, 3, 53, 6, 62, 5, 61, 57, 1, 54, 60, 43);
  }

  private static void vector(int tableSize, int stripe, int start, long seed, int... expected) {
    assertArrayEquals(
        expected,
        StripeOrder.indices(tableSize, stripe, start, seed),
        () -> "table=" + tableSize + " stripe=" + stripe + " start=" + start + " seed=" + seed);
  }

  @Test
  void everyEntryOccursOnce() {
    for (long seed = 0; seed < 200; seed++) {
      int[] order = StripeOrder.indices(50, 20, 45, seed);
      var seen = new HashSet<Integer>();
      Arrays.stream(order).forEach(seen::add);
      assertEquals(20, seen.size());
    }
  }

  @Test
  void refusesAStripeWiderThanItsTable() {
    assertThrows(IllegalArgumentException.class, () -> StripeOrder.indices(3, 4, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> StripeOrder.indices(3, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> StripeOrder.indices(3, 1, -1, 0));
  }
}
