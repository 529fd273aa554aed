package luciola.loader.train;

import java.util.Optional;
import luciola.loader.checkpoint.CheckpointWriter;
import luciola.loader.ema.EmaShard;
import luciola.loader.ema.EmaUpdater;
import luciola.loader.model.LanguageModel;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model on the batches of a source, keeps its moving average, saves checkpoints.
 *
 * <pre>
 * each step:  wait for the batch → step of the model → give the batch back → copy for the average
 *             → every K steps: copy for a checkpoint
 * </pre>
 *
 * <p>The average and the writing of checkpoints go on beside the steps. The caller's thread runs
 * the loop; {@link #requestStop} may come from any.
 */
public final class TrainingLoop {
  private final LanguageModel model;
  private final @Nullable EmaUpdater ema;
  private final @Nullable CheckpointWriter checkpoints;
  private final int checkpointEverySteps;
  private final TrainingListener listener;
  private volatile boolean stopRequested;
  private @Nullable String unsavedPosition;

  /**
   * A loop over parts the caller owns and closes.
   *
   * @param ema whose shard covers all parameters; null for no average
   * @param checkpoints null for none
   * @param checkpointEverySteps a checkpoint is saved when the step is a multiple of it
   */
  public TrainingLoop(
      LanguageModel model,
      @Nullable EmaUpdater ema,
      @Nullable CheckpointWriter checkpoints,
      int checkpointEverySteps,
      TrainingListener listener) {
    if (checkpointEverySteps < 1) {
      throw new IllegalArgumentException(
          "checkpointEverySteps must be positive: checkpointEverySteps=" + checkpointEverySteps);
    }
    this.model = model;
    this.ema = ema;
    this.checkpoints = checkpoints;
    this.checkpointEverySteps = checkpointEverySteps;
    this.listener = listener;
  }

  /**
   * Runs until the model has done {@code untilStep} steps, the source ends or a stop is requested;
   * then waits until every checkpoint is committed. After a requested stop the last step is saved
   * too, whatever its number.
   *
   * @return steps the model has done
   * @throws luciola.protocol.error.LuciolaException when data, the average or a checkpoint fails
   */
  public long run(BatchSource source, long untilStep) throws InterruptedException {
    prepare();
    while (model.stepsDone() < untilStep && !stopRequested) {
      long begun = System.nanoTime();
      Optional<TokenBatch> batch = source.next();
      if (batch.isEmpty()) {
        break;
      }
      listener.stepDone(step(batch.get(), System.nanoTime() - begun));
    }
    finish();
    return model.stepsDone();
  }

  /** Ends the run after the present step, with a checkpoint of it. */
  public void requestStop() {
    stopRequested = true;
  }

  private StepReport step(TokenBatch batch, long dataWaitNanos) throws InterruptedException {
    long begun = System.nanoTime();
    String position;
    double loss;
    long tokens;
    try (batch) {
      listener.batchTaken(model.stepsDone() + 1, batch);
      position = batch.positionAfter();
      tokens = (long) batch.rows() * (batch.tokensPerRow() - 1);
      loss = model.step(batch.tokens(), batch.rows(), batch.tokensPerRow(), batch.tokenBytes());
    }
    long computed = System.nanoTime();
    if (ema != null) {
      ema.submit(model.flatParameters());
    }
    long averaged = System.nanoTime();
    long stall = 0;
    unsavedPosition = position;
    if (model.stepsDone() % checkpointEverySteps == 0) {
      save(position);
      stall = System.nanoTime() - averaged;
    }
    return new StepReport(
        model.stepsDone(),
        loss,
        tokens,
        dataWaitNanos,
        computed - begun,
        averaged - computed,
        stall,
        position);
  }

  private void save(String position) throws InterruptedException {
    if (checkpoints != null) {
      EmaShard shard = ema == null ? null : ema.drained();
      checkpoints.save(TrainingCheckpoint.contents(model, shard, position));
    }
    unsavedPosition = null;
  }

  private void prepare() throws InterruptedException {
    if (checkpoints != null) {
      EmaShard shard = ema == null ? null : ema.drained();
      checkpoints.prepare(TrainingCheckpoint.contents(model, shard, ""));
    }
  }

  private void finish() throws InterruptedException {
    String unsaved = unsavedPosition;
    if (stopRequested && unsaved != null) {
      save(unsaved);
    }
    if (ema != null) {
      EmaShard _ = ema.drained();
    }
    if (checkpoints != null) {
      checkpoints.await();
    }
  }
}
