package luciola.loader.train;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.SplittableRandom;

/** Batches of windows of a text, each decided by its number alone; one slot, cleared on release. */
final class MemoryBatchSource implements BatchSource {
  private final byte[] text;
  private final int rows;
  private final int tokensPerRow;
  private final long batches;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment slot;
  private long next;
  private boolean held;

  MemoryBatchSource(byte[] text, int rows, int tokensPerRow, long batches, String position) {
    this.text = text;
    this.rows = rows;
    this.tokensPerRow = tokensPerRow;
    this.batches = batches;
    this.next = position.isEmpty() ? 0 : Long.parseLong(position);
    this.slot = arena.allocate((long) rows * tokensPerRow);
  }

  @Override
  public Optional<TokenBatch> next() {
    if (next == batches) {
      return Optional.empty();
    }
    if (held) {
      throw new IllegalStateException("the only slot is held");
    }
    held = true;
    long number = next++;
    SplittableRandom random = new SplittableRandom(number);
    long[] samples = random.longs(rows, 0, text.length - tokensPerRow).toArray();
    for (int row = 0; row < rows; row++) {
      MemorySegment.copy(
          text,
          (int) samples[row],
          slot,
          ValueLayout.JAVA_BYTE,
          (long) row * tokensPerRow,
          tokensPerRow);
    }
    return Optional.of(new Batch(number, samples));
  }

  @Override
  public void close() {
    arena.close();
  }

  private final class Batch implements TokenBatch {
    private final long number;
    private final long[] samples;

    Batch(long number, long[] samples) {
      this.number = number;
      this.samples = samples;
    }

    @Override
    public MemorySegment tokens() {
      return slot;
    }

    @Override
    public int rows() {
      return rows;
    }

    @Override
    public int tokensPerRow() {
      return tokensPerRow;
    }

    @Override
    public int tokenBytes() {
      return 1;
    }

    @Override
    public long sampleId(int row) {
      return samples[row];
    }

    @Override
    public String positionAfter() {
      return Long.toString(number + 1);
    }

    @Override
    public void close() {
      slot.fill((byte) 0);
      held = false;
    }
  }
}
