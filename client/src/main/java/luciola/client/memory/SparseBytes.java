package luciola.client.memory;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Bytes with holes: pages that were never written read as zeros and take no memory. */
final class SparseBytes {
  static final int PAGE_BYTES = 1 << 16;

  private final Map<Long, byte[]> pages = new HashMap<>();
  private long length;

  long length() {
    return length;
  }

  /** Memory taken. */
  long storedBytes() {
    return (long) pages.size() * PAGE_BYTES;
  }

  /** Memory that writing {@code count} bytes at {@code offset} would add. */
  long newBytes(long offset, long count) {
    long added = 0;
    for (long page = offset / PAGE_BYTES; page * PAGE_BYTES < offset + count; page++) {
      added += pages.containsKey(page) ? 0 : PAGE_BYTES;
    }
    return added;
  }

  /** Fills {@code into} from {@code offset} up to the end; returns bytes filled. */
  long read(long offset, MemorySegment into) {
    long count = Math.max(0, Math.min(into.byteSize(), length - offset));
    long done = 0;
    while (done < count) {
      int inPage = (int) ((offset + done) % PAGE_BYTES);
      long step = Math.min(PAGE_BYTES - inPage, count - done);
      byte[] page = pages.get((offset + done) / PAGE_BYTES);
      MemorySegment part = into.asSlice(done, step);
      if (page == null) {
        part.fill((byte) 0);
      } else {
        part.copyFrom(MemorySegment.ofArray(page).asSlice(inPage, step));
      }
      done += step;
    }
    return count;
  }

  void write(long offset, MemorySegment from) {
    long count = from.byteSize();
    long done = 0;
    while (done < count) {
      int inPage = (int) ((offset + done) % PAGE_BYTES);
      long step = Math.min(PAGE_BYTES - inPage, count - done);
      byte[] page = pages.computeIfAbsent((offset + done) / PAGE_BYTES, _ -> new byte[PAGE_BYTES]);
      MemorySegment.ofArray(page).asSlice(inPage, step).copyFrom(from.asSlice(done, step));
      done += step;
    }
    if (count > 0) {
      length = Math.max(length, offset + count);
    }
  }

  /** Cuts, or extends with zeros. */
  void truncate(long newLength) {
    if (newLength < length) {
      long firstGone = (newLength + PAGE_BYTES - 1) / PAGE_BYTES;
      pages.keySet().removeIf(page -> page >= firstGone);
      byte[] last = pages.get(newLength / PAGE_BYTES);
      if (last != null) {
        Arrays.fill(last, (int) (newLength % PAGE_BYTES), PAGE_BYTES, (byte) 0);
      }
    }
    length = newLength;
  }
}
