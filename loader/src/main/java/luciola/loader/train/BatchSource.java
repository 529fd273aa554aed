package luciola.loader.train;

import java.util.Optional;

/**
 * Where a training loop gets its batches, in the order of the plan. Used by one thread.
 *
 * <p>To resume, open a source at the {@link TokenBatch#positionAfter} of the last batch that was
 * trained on: its first {@link #next} is then exactly the batch that would have followed.
 */
public interface BatchSource extends AutoCloseable {

  /**
   * Waits for the next batch; empty when the plan is at its end. Several batches may be held at
   * once, as many as the source has slots; the call waits when all are held.
   *
   * @throws luciola.protocol.error.LuciolaException when the data cannot be delivered
   */
  Optional<TokenBatch> next() throws InterruptedException;

  /** Gives back what is held; batches not yet closed become invalid. */
  @Override
  void close();
}
