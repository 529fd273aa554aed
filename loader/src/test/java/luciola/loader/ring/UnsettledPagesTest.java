package luciola.loader.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class UnsettledPagesTest {
  private static final int PAGE = 64 << 10;

  private record Written(long number, long offset, long bytes) {
    boolean overlaps(long from, long length) {
      return bytes > 0 && length > 0 && offset < from + length && from < offset + bytes;
    }

    boolean isNear(long from, long length) {
      return overlaps(from - PAGE, length + 2 * PAGE);
    }
  }

  /** Every write that is not settled is found; what is found is a page away at most. */
  @Test
  void findsWhatIsThereAndLittleElse() {
    Random random = new Random(2);
    for (int round = 0; round < 30; round++) {
      UnsettledPages pages = new UnsettledPages();
      List<Written> written = new ArrayList<>();
      long number = 0;
      for (int step = 0; step < 300; step++) {
        long offset = random.nextInt(200 * PAGE);
        long bytes = random.nextInt(3 * PAGE);
        if (random.nextInt(20) == 0) {
          long until = number - random.nextInt(10);
          pages.settled(until);
          written.removeIf(each -> each.number() <= until);
        } else if (random.nextBoolean()) {
          pages.wrote(++number, offset, bytes);
          written.add(new Written(number, offset, bytes));
        } else if (written.stream().anyMatch(each -> each.overlaps(offset, bytes))) {
          assertTrue(pages.touch(offset, bytes));
        } else if (bytes > 0 && written.stream().noneMatch(each -> each.isNear(offset, bytes))) {
          assertFalse(pages.touch(offset, bytes));
        }
      }
    }
  }

  @Test
  void tooManyAreEverywhereUntilTheyAreSettled() {
    UnsettledPages pages = new UnsettledPages();
    for (long number = 1; number <= 20_000; number++) {
      pages.wrote(number, number * PAGE, 1);
    }
    assertTrue(pages.touch(1L << 50, 1));
    assertTrue(pages.touch(0, 1));
    pages.settled(100);
    assertTrue(pages.touch(1L << 50, 1));
    pages.settled(20_000);
    assertEquals(List.of(false, false), List.of(pages.touch(0, 1), pages.touch(1L << 50, 1)));
    pages.wrote(20_001, 0, 1L << 60);
    assertTrue(pages.touch(1L << 61, 1), "one write alone may be too many");
  }
}
