package luciola.loader.ring;

import java.util.HashMap;
import java.util.Map;

/**
 * Where a file has writes that are not on the replicas yet, in pages of 64 KiB: a read elsewhere
 * need not wait for them. Forgets where when there are too many, and says that they are everywhere.
 */
final class UnsettledPages {
  private static final int PAGE_SHIFT = 16;
  private static final int PAGES_MAX = 1 << 14;

  /** The last write of each page. */
  private final Map<Long, Long> pages = new HashMap<>();

  /** The last write whose pages were forgotten; 0 for none. */
  private long everywhere;

  /** Notes a write; numbers grow. */
  synchronized void wrote(long number, long offset, long bytes) {
    if (bytes == 0) {
      return;
    }
    long last = (offset + bytes - 1) >> PAGE_SHIFT;
    if (pages.size() + (last - (offset >> PAGE_SHIFT)) >= PAGES_MAX) {
      pages.clear();
      everywhere = number;
      return;
    }
    for (long page = offset >> PAGE_SHIFT; page <= last; page++) {
      pages.put(page, number);
    }
  }

  /** All writes up to that one are on the replicas. */
  synchronized void settled(long number) {
    pages.values().removeIf(each -> each <= number);
    if (everywhere <= number) {
      everywhere = 0;
    }
  }

  /** Whether some of them are in a range. */
  synchronized boolean touch(long offset, long bytes) {
    if (everywhere != 0) {
      return true;
    }
    if (bytes == 0 || pages.isEmpty()) {
      return false;
    }
    long last = (offset + bytes - 1) >> PAGE_SHIFT;
    for (long page = offset >> PAGE_SHIFT; page <= last; page++) {
      if (pages.containsKey(page)) {
        return true;
      }
    }
    return false;
  }
}
