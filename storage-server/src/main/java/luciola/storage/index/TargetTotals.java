package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import org.jspecify.annotations.Nullable;

/**
 * State of a whole target, written with every batch. Stored under key {@code 'M' "totals"} as u64,
 * little-endian, in this order.
 *
 * @param ageSeconds how long the target was open since it was made, as far as that is written: a
 *     clock that never goes back and that nobody can set
 * @param sequence number of the batch, from 1
 * @param flushed bytes of versions that batches up to this one wrote are durable
 * @param blocks for each block class, how many blocks the metadata names; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent")
public record TargetTotals(long ageSeconds, long sequence, long flushed, long[] blocks) {
  /** A new target. */
  public static final TargetTotals NONE = new TargetTotals(0, 0, 0, new long[BlockClass.COUNT]);

  public TargetTotals {
    if (blocks.length != BlockClass.COUNT) {
      throw new IllegalArgumentException("bad totals: blocks=" + blocks.length);
    }
  }

  byte[] toBytes() {
    ByteBuffer out =
        ByteBuffer.allocate((3 + BlockClass.COUNT) * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(ageSeconds).putLong(sequence).putLong(flushed);
    Arrays.stream(blocks).forEach(out::putLong);
    return out.array();
  }

  static TargetTotals fromBytes(byte[] value) {
    try {
      ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
      long age = in.getLong();
      long sequence = in.getLong();
      long flushed = in.getLong();
      var blocks = new long[BlockClass.COUNT];
      for (int i = 0; i < blocks.length; i++) {
        blocks[i] = in.getLong();
      }
      return new TargetTotals(age, sequence, flushed, blocks);
    } catch (BufferUnderflowException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad totals of a target: bytes=" + value.length, e);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TargetTotals that
        && ageSeconds == that.ageSeconds
        && sequence == that.sequence
        && flushed == that.flushed
        && Arrays.equals(blocks, that.blocks);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(sequence);
  }
}
