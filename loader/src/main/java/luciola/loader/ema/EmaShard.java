package luciola.loader.ema;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import luciola.loader.safetensors.DType;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;

/**
 * One rank's share of the average, in native memory. Owned by one thread at a time; {@link
 * EmaUpdater} is that thread while it runs.
 */
public final class EmaShard implements AutoCloseable {
  private final ShardRange range;
  private final EmaDecay decay;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment values;
  private long updates;

  /** An average of zeros; the first {@link #start} or {@link #restored} gives it its values. */
  public EmaShard(ShardRange range, EmaDecay decay) {
    this.range = range;
    this.decay = decay;
    this.values =
        arena
            .allocate(Math.max(1, range.elements()) * Float.BYTES, 64)
            .asSlice(0, range.elements() * Float.BYTES);
  }

  public ShardRange range() {
    return range;
  }

  public EmaDecay decay() {
    return decay;
  }

  /** Updates so far. */
  public long updates() {
    return updates;
  }

  /** The live average, fp32. */
  public MemorySegment values() {
    return values;
  }

  /** Makes the average equal to the share's parameters. */
  public void start(MemorySegment share, DType type) {
    values.fill((byte) 0);
    EmaKernel.update(values, checked(share, type), type, 0);
    updates = 0;
  }

  /** One update from the share's parameters. */
  public void update(MemorySegment share, DType type) {
    EmaKernel.update(values, checked(share, type), type, decay.at(updates));
    updates++;
  }

  /** After {@link #values} was filled from a checkpoint: how many updates it holds. */
  public void restored(long count) {
    if (count < 0) {
      throw new IllegalArgumentException("updates must be non-negative: updates=" + count);
    }
    updates = count;
  }

  private MemorySegment checked(MemorySegment share, DType type) {
    if (share.byteSize() * 8 != range.elements() * type.bits()) {
      throw new IllegalArgumentException(
          "parameters do not fit the share: bytes=%d dtype=%s elements=%d"
              .formatted(share.byteSize(), type, range.elements()));
    }
    return share;
  }

  /**
   * Views of a whole average by the parameters' names.
   *
   * @param specs all parameters in the order of the flat array, which this shard covers alone
   */
  public List<TensorView> views(List<TensorSpec> specs) {
    return TensorView.over(values, specs);
  }

  @Override
  public void close() {
    arena.close();
  }
}
