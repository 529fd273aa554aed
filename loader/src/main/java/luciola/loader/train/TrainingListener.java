package luciola.loader.train;

/** Follows a training loop, on its thread: what takes long here delays the next step. */
public interface TrainingListener {
  /** A listener that does nothing. */
  TrainingListener NONE = _ -> {};

  /** A step is done. */
  void stepDone(StepReport report);

  /**
   * A batch is about to be trained on, as the step of that number. Its memory is only valid during
   * this call.
   */
  default void batchTaken(long step, TokenBatch batch) {}
}
