package luciola.loader.ring;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Where everything is in the memory of a ring. Little-endian; S are the bytes of the submission
 * entries, C those of the completion entries, each rounded up to whole pages of 4096.
 *
 * <pre>
 *      0  u32  magic: "LRNG"
 *      4  u32  version of this layout: 1
 *      8  u32  entries of each of the two rings: a power of two
 *     12  u32  zero
 *     16  u64  where the submission entries begin: 4096
 *     24  u64  where the completion entries begin: 4096 + S
 *     32  u64  where the memory for data begins: 4096 + S + C
 *     40  u64  length of the memory for data
 *    128  u32  submissions put: entries that the owner has ever filled      (owner writes)
 *    256  u32  submissions taken: entries that the agent has copied out     (agent writes)
 *    384  u32  completions put: entries that the agent has ever filled      (agent writes)
 *    512  u32  completions taken: entries that the owner has read           (owner writes)
 *    640  u32  agent sleeps: 1 if it must be woken                          (both write)
 *    768  u32  owner waits: for so many completions that it has not taken   (both write)
 *   4096       submission entries, 64 bytes each
 * 4096+S       completion entries, 16 bytes each
 *  …+S+C       memory for data
 * </pre>
 *
 * The four counters go round at 2³²; entry number n is in place n modulo entries. They all begin at
 * the same value, twice the entries before they go round, so that whoever does not expect it finds
 * out at once. Each of the words from 128 on has two cache lines of its own.
 *
 * <p>A submission:
 *
 * <pre>
 *   0  u32  operation: 1 read, 2 write, 3 sync
 *   4  u32  file, as its opening named it
 *   8  u64  offset in the file; 0 for a sync
 *  16  u64  place in the memory for data; 0 for a sync
 *  24  u32  length; 0 for a sync
 *  28  u32  zero
 *  32  u64  the owner's own, comes back with the completion
 *  40  u64  zero, three times
 * </pre>
 *
 * A completion:
 *
 * <pre>
 *   0  u64  what the submission had as the owner's own
 *   8  i64  bytes read or written, 0 for a sync; or an errno, negative
 * </pre>
 *
 * @param entries of each ring
 * @param dataBytes memory for data, whole pages
 */
public record RingLayout(int entries, long dataBytes) {
  /** Version of the layout; agent and owner must agree on it. */
  public static final int VERSION = 1;

  static final int PAGE_BYTES = 4096;
  static final int SUBMISSION_BYTES = 64;
  static final int COMPLETION_BYTES = 16;
  static final long SUBMISSIONS_PUT = 128;
  static final long SUBMISSIONS_TAKEN = 256;
  static final long COMPLETIONS_PUT = 384;
  static final long COMPLETIONS_TAKEN = 512;
  static final long AGENT_SLEEPS = 640;
  static final long OWNER_WAITS = 768;

  private static final int MAGIC = 0x474E524C;
  private static final ValueLayout.OfInt U32 =
      JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public RingLayout {
    if (entries < 1 || Integer.bitCount(entries) != 1) {
      throw new IllegalArgumentException("entries must be a power of two: entries=" + entries);
    }
    if (dataBytes < PAGE_BYTES || dataBytes % PAGE_BYTES != 0) {
      throw new IllegalArgumentException(
          "dataBytes must be whole pages of " + PAGE_BYTES + ": dataBytes=" + dataBytes);
    }
  }

  private static long pages(long bytes) {
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  }

  long submissionsAt() {
    return PAGE_BYTES;
  }

  long completionsAt() {
    return submissionsAt() + pages((long) entries * SUBMISSION_BYTES);
  }

  long dataAt() {
    return completionsAt() + pages((long) entries * COMPLETION_BYTES);
  }

  /** The whole region. */
  public long regionBytes() {
    return dataAt() + dataBytes;
  }

  /** What all counters begin at. */
  int firstNumber() {
    return -2 * entries;
  }

  long submissionAt(int number) {
    return submissionsAt() + (long) (number & (entries - 1)) * SUBMISSION_BYTES;
  }

  long completionAt(int number) {
    return completionsAt() + (long) (number & (entries - 1)) * COMPLETION_BYTES;
  }

  /** Writes the first page. */
  void encode(MemorySegment region) {
    region.set(U32, 0, MAGIC);
    region.set(U32, 4, VERSION);
    region.set(U32, 8, entries);
    region.set(U32, 12, 0);
    region.set(U64, 16, submissionsAt());
    region.set(U64, 24, completionsAt());
    region.set(U64, 32, dataAt());
    region.set(U64, 40, dataBytes);
    for (long counter = SUBMISSIONS_PUT; counter <= COMPLETIONS_TAKEN; counter += 128) {
      region.set(U32, counter, firstNumber());
    }
    region.set(U32, AGENT_SLEEPS, 0);
    region.set(U32, OWNER_WAITS, 0);
  }

  /**
   * Reads what {@link #encode} wrote; for owners: an agent never believes what is in the region.
   *
   * @throws LuciolaException UNSUPPORTED for another version, MALFORMED_FRAME for what is no ring
   */
  static RingLayout decode(MemorySegment region) {
    if (region.byteSize() < PAGE_BYTES || region.get(U32, 0) != MAGIC) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME, "open ring: no ring: regionBytes=" + region.byteSize());
    }
    if (region.get(U32, 4) != VERSION) {
      throw new LuciolaException(
          ErrorCode.UNSUPPORTED,
          "open ring: another layout: version=" + region.get(U32, 4) + " known=" + VERSION);
    }
    RingLayout layout = new RingLayout(region.get(U32, 8), region.get(U64, 40));
    if (layout.regionBytes() != region.byteSize()
        || region.get(U64, 16) != layout.submissionsAt()
        || region.get(U64, 24) != layout.completionsAt()
        || region.get(U64, 32) != layout.dataAt()) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "open ring: its places do not fit: regionBytes=" + region.byteSize() + " " + layout);
    }
    return layout;
  }

  /** Writes a submission. */
  static void encode(MemorySegment region, long at, Submission submission) {
    region.set(U32, at, submission.operation());
    region.set(U32, at + 4, submission.file());
    region.set(U64, at + 8, submission.offset());
    region.set(U64, at + 16, submission.place());
    region.set(U32, at + 24, submission.length());
    region.set(U32, at + 28, (int) submission.reserved());
    region.set(U64, at + 32, submission.own());
    region.set(U64, at + 40, 0);
    region.set(U64, at + 48, 0);
    region.set(U64, at + 56, 0);
  }

  /** A copy of a submission; each of its words is read once. */
  static Submission submission(MemorySegment region, long at) {
    long reserved =
        Integer.toUnsignedLong(region.get(U32, at + 28))
            | region.get(U64, at + 40)
            | region.get(U64, at + 48)
            | region.get(U64, at + 56);
    return new Submission(
        region.get(U32, at),
        region.get(U32, at + 4),
        region.get(U64, at + 8),
        region.get(U64, at + 16),
        region.get(U32, at + 24),
        region.get(U64, at + 32),
        reserved);
  }

  /** Writes a completion. */
  static void encode(MemorySegment region, long at, Completion completion) {
    region.set(U64, at, completion.own());
    region.set(U64, at + 8, completion.result());
  }

  /** A copy of a completion. */
  static Completion completion(MemorySegment region, long at) {
    return new Completion(region.get(U64, at), region.get(U64, at + 8));
  }
}
