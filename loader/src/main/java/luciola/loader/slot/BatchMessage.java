package luciola.loader.slot;

import java.nio.ByteBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * One batch handed to a trainer. 96 bytes, little-endian; offsets count from the start of the
 * region.
 *
 * <pre>
 *    0  u64  sequence of the loan; goes back with the slot
 *    8  u32  slot
 *   12  u32  flags: 1 = last batch of its epoch, 2 = rows of different sizes
 *   16  u64  offset of the data
 *   24  u64  length of the data
 *   32  u32  rows
 *   36  u32  rows that are not padding
 *   40  u32  elements of a row; 0 where rows differ
 *   44  u32  element type, the codes of Megatron (1 = u8, 8 = u16, …)
 *   48  u64  epoch of the batch
 *   56  u64  samples of the epoch done by all ranks before it
 *   64  u64  epoch after it
 *   72  u64  samples done after it
 *   80  u64  offset of the sample numbers, u64[rows]
 *   88  u64  offset of the row starts, u64[rows + 1] relative to the data; 0 where rows are equal
 * </pre>
 */
public record BatchMessage(
    long sequence,
    int slot,
    int flags,
    long dataOffset,
    long dataBytes,
    int rows,
    int validRows,
    int rowElements,
    int elementType,
    long epoch,
    long samplesBefore,
    long epochAfter,
    long samplesAfter,
    long idsOffset,
    long rowStartsOffset)
    implements AgentMessage {
  /** Size of the body. */
  public static final int BYTES = 96;

  public static final int LAST_OF_EPOCH = 1;
  public static final int VARIABLE_ROWS = 2;

  public boolean endsEpoch() {
    return (flags & LAST_OF_EPOCH) != 0;
  }

  public boolean hasVariableRows() {
    return (flags & VARIABLE_ROWS) != 0;
  }

  void encode(ByteBuffer into) {
    into.putLong(sequence).putInt(slot).putInt(flags).putLong(dataOffset).putLong(dataBytes);
    into.putInt(rows).putInt(validRows).putInt(rowElements).putInt(elementType);
    into.putLong(epoch).putLong(samplesBefore).putLong(epochAfter).putLong(samplesAfter);
    into.putLong(idsOffset).putLong(rowStartsOffset);
  }

  static BatchMessage decode(ByteBuffer from) {
    return new BatchMessage(
        from.getLong(),
        from.getInt(),
        from.getInt(),
        from.getLong(),
        from.getLong(),
        from.getInt(),
        from.getInt(),
        from.getInt(),
        from.getInt(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong(),
        from.getLong());
  }

  /** Throws MALFORMED_FRAME unless everything it points at lies in a region of that size. */
  public void requireInside(long regionBytes) {
    boolean inside =
        rows >= 0
            && validRows >= 0
            && validRows <= rows
            && within(dataOffset, dataBytes, regionBytes)
            && within(idsOffset, 8L * rows, regionBytes)
            && (!hasVariableRows() || within(rowStartsOffset, 8L * (rows + 1L), regionBytes));
    if (!inside) {
      throw new LuciolaException(
          ErrorCode.MALFORMED_FRAME,
          "receive batch: it points outside the region: regionBytes=" + regionBytes + " " + this);
    }
  }

  private static boolean within(long offset, long length, long regionBytes) {
    return offset >= 0 && length >= 0 && offset <= regionBytes && length <= regionBytes - offset;
  }
}
