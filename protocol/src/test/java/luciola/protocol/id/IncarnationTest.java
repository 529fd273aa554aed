package luciola.protocol.id;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class IncarnationTest {
  @Test
  void livesAreOrderedWhateverTheirRandomHalves() {
    long first = Incarnation.after(0, -1);
    long second = Incarnation.after(first, 0);
    assertEquals(0x1_FFFF_FFFFL, first);
    assertEquals(0x2_0000_0000L, second);
    assertTrue(Incarnation.isBefore(first, second));
    assertFalse(Incarnation.isBefore(second, first));
    assertEquals(second, Incarnation.later(first, second));
    assertEquals(second, Incarnation.later(second, first));
  }

  @Test
  void twoOfOneLifeAreNeitherBeforeTheOther() {
    long one = Incarnation.after(7, 1);
    long copy = Incarnation.after(7, 2);
    assertFalse(Incarnation.isBefore(one, copy));
    assertFalse(Incarnation.isBefore(copy, one));
  }

  @Test
  void theUpperHalfIsUnsignedAndDoesNotWrap() {
    long last = 0xFFFF_FFFE_0000_0000L;
    long end = Incarnation.after(last, 3);
    assertTrue(Incarnation.isBefore(last, end));
    assertThrows(IllegalArgumentException.class, () -> Incarnation.after(end, 3));
  }
}
