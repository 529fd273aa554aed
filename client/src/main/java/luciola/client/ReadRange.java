package luciola.client;

import java.lang.foreign.MemorySegment;

/**
 * One range of one file and where its bytes go.
 *
 * @param file an open file
 * @param offset first byte in the file
 * @param into native memory; its size is the length of the range; stays open until the read
 *     completes
 */
public record ReadRange(ReadableFile file, long offset, MemorySegment into) {
  public ReadRange {
    if (offset < 0) {
      throw new IllegalArgumentException("offset must be non-negative: offset=" + offset);
    }
  }
}
