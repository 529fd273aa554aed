package luciola.loader.agent;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import luciola.loader.dataset.TokenType;
import luciola.loader.order.LoaderPosition;
import luciola.loader.slot.BatchMessage;
import luciola.loader.train.TokenBatch;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A batch in a slot. Its memory has an arena of its own, so that a use after {@link #close}, when
 * the slot may hold another batch, throws instead of reading that batch.
 */
public final class AgentBatch implements TokenBatch {
  private static final ValueLayout.OfLong U64 = JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private final BatchMessage message;
  private final LoaderPosition after;
  private final Consumer<AgentBatch> release;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment data;
  private final long[] ids;
  private final long[] rowStarts;
  private final AtomicBoolean closed = new AtomicBoolean();

  @SuppressWarnings("restricted") // narrows the lifetime of memory that is mapped anyway
  AgentBatch(
      BatchMessage message,
      MemorySegment region,
      LoaderPosition after,
      Consumer<AgentBatch> release) {
    this.message = message;
    this.after = after;
    this.release = release;
    this.data = region.asSlice(message.dataOffset(), message.dataBytes()).reinterpret(arena, null);
    this.ids = numbers(region, message.idsOffset(), message.rows());
    this.rowStarts =
        message.hasVariableRows()
            ? numbers(region, message.rowStartsOffset(), message.rows() + 1)
            : new long[0];
  }

  private static long[] numbers(MemorySegment region, long offset, int count) {
    return region.asSlice(offset, 8L * count).toArray(U64);
  }

  BatchMessage message() {
    return message;
  }

  @Override
  public MemorySegment tokens() {
    if (message.hasVariableRows()) {
      throw new LuciolaException(
          ErrorCode.UNSUPPORTED, "tokens: the dataset has records, not token windows");
    }
    return data;
  }

  /** The bytes of one row; of a dataset of any kind. */
  public MemorySegment row(int row) {
    java.util.Objects.checkIndex(row, message.rows());
    if (message.hasVariableRows()) {
      return data.asSlice(rowStarts[row], rowStarts[row + 1] - rowStarts[row]);
    }
    long bytes = (long) tokensPerRow() * tokenBytes();
    return data.asSlice(row * bytes, bytes);
  }

  @Override
  public int rows() {
    return message.rows();
  }

  /** Rows that are not padding; those come first. */
  public int validRows() {
    return message.validRows();
  }

  @Override
  public int tokensPerRow() {
    return message.rowElements();
  }

  @Override
  public int tokenBytes() {
    return TokenType.ofCode(message.elementType()).bytes();
  }

  @Override
  public long sampleId(int row) {
    return ids[row];
  }

  /** Epoch of its samples, 0 at first. */
  public long epoch() {
    return message.epoch();
  }

  /** Whether the next batch belongs to another epoch. */
  public boolean endsEpoch() {
    return message.endsEpoch();
  }

  @Override
  public String positionAfter() {
    return after.text();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
      release.accept(this);
    }
  }
}
