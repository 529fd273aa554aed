package luciola.cli.soak.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * The bytes of a block, little-endian:
 *
 * <pre>
 *    0 magic u64    8 run u64     16 file u64    24 offset u64
 *   32 sequence u64              40 bytes u32   44 CRC32C u32 of the block with zeros here
 *   48 … payload: SplitMix64 from a state that is mixed of run, file, offset and sequence
 * </pre>
 *
 * Whoever finds such bytes in a wrong place can tell where they belong; of a block that is made of
 * two writes it can be told which part is whose.
 */
public final class BlockBytes {
  private static final long MAGIC = 0x314b4c424f4f4c4cL;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final int PAGE = 4096;
  private static final int PAGES_TOLD = 16;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private BlockBytes() {}

  /** Fills memory of the block's length with what this operation leaves there. */
  public static void fill(MemorySegment into, BlockPlace place, BlockValue value) {
    switch (value) {
      case BlockValue.Zeros _ -> into.fill((byte) 0);
      case BlockValue.Written written -> write(into, place, written.sequence());
      case BlockValue.Front front -> {
        write(into, place, front.sequence());
        into.asSlice(front.bytes()).fill((byte) 0);
      }
    }
  }

  private static void write(MemorySegment into, BlockPlace place, long sequence) {
    into.set(LONG, 0, MAGIC);
    into.set(LONG, 8, place.run());
    into.set(LONG, 16, place.file());
    into.set(LONG, 24, place.offset());
    into.set(LONG, 32, sequence);
    into.set(INT, 40, place.bytes());
    into.set(INT, 44, 0);
    long state =
        mix(place.run() ^ mix(place.file() ^ mix(place.offset() ^ mix(sequence + GOLDEN))));
    int at = BlockPlace.BYTES_MIN;
    for (; at + 8 <= place.bytes(); at += 8) {
      state += GOLDEN;
      into.set(LONG, at, mix(state));
    }
    for (; at < place.bytes(); at++) {
      state += GOLDEN;
      into.set(ValueLayout.JAVA_BYTE, at, (byte) mix(state));
    }
    into.set(INT, 44, crc(into));
  }

  private static int crc(MemorySegment block) {
    var crc = new CRC32C();
    crc.update(block.asByteBuffer());
    return (int) crc.getValue();
  }

  private static long mix(long state) {
    long z = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /**
   * Whether these are exactly the bytes that the operation leaves.
   *
   * @param scratch memory of the block's length, overwritten
   */
  public static boolean holds(
      MemorySegment found, BlockPlace place, BlockValue value, MemorySegment scratch) {
    if (value instanceof BlockValue.Written written && found.get(LONG, 32) != written.sequence()) {
      return false;
    }
    fill(scratch, place, value);
    return found.mismatch(scratch) == -1;
  }

  /** What the bytes say of themselves, for people. */
  public static String describe(MemorySegment found, BlockPlace place, MemorySegment scratch) {
    scratch.fill((byte) 0);
    long firstByte = found.mismatch(scratch);
    if (firstByte == -1) {
      return "zeros";
    }
    if (found.get(LONG, 0) != MAGIC) {
      return String.format(
          Locale.ROOT,
          "no block: magic=%016x, first byte that is not zero at %d, pages %s",
          found.get(LONG, 0),
          firstByte,
          pages(found, place, 0, scratch));
    }
    long sequence = found.get(LONG, 32);
    String belongs =
        found.get(LONG, 8) == place.run()
                && found.get(LONG, 16) == place.file()
                && found.get(LONG, 24) == place.offset()
                && found.get(INT, 40) == place.bytes()
            ? "this block's write "
            : String.format(
                Locale.ROOT,
                "run=%x file=%d offset=%d bytes=%d write ",
                found.get(LONG, 8),
                found.get(LONG, 16),
                found.get(LONG, 24),
                found.get(INT, 40));
    if (found.get(INT, 40) == place.bytes() && found.get(LONG, 24) >= 0) {
      var own =
          new BlockPlace(
              found.get(LONG, 8), found.get(LONG, 16), found.get(LONG, 24), place.bytes());
      write(scratch, own, sequence);
    }
    boolean whole = found.mismatch(scratch) == -1;
    return belongs
        + sequence
        + (whole ? ", whole" : ", torn: pages " + pages(found, place, sequence, scratch));
  }

  /** For each page of the file the newest write at or before {@code newest} that it holds. */
  private static String pages(
      MemorySegment found, BlockPlace place, long newest, MemorySegment scratch) {
    int first = (int) (place.offset() % PAGE);
    var text = new StringBuilder();
    int told = 0;
    for (int from = 0; from < place.bytes() && told < PAGES_TOLD; told++) {
      int to =
          (int)
              Math.min(place.bytes(), ((place.offset() + from) / PAGE + 1) * PAGE - place.offset());
      text.append(told == 0 ? "[" : " ").append(owner(found, place, from, to, newest, scratch));
      from = to;
    }
    return text.append("] starting ").append(first).append(" bytes into a page").toString();
  }

  private static String owner(
      MemorySegment found, BlockPlace place, int from, int to, long newest, MemorySegment scratch) {
    scratch.fill((byte) 0);
    MemorySegment part = found.asSlice(from, to - from);
    if (part.mismatch(scratch.asSlice(from, to - from)) == -1) {
      return "zeros";
    }
    for (long sequence = newest + 8; sequence > Math.max(0, newest - 64); sequence--) {
      write(scratch, place, sequence);
      if (part.mismatch(scratch.asSlice(from, to - from)) == -1) {
        return String.valueOf(sequence);
      }
    }
    return "?";
  }
}
