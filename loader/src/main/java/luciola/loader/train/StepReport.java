package luciola.loader.train;

/**
 * What one step was and what its time went to.
 *
 * @param step steps trained, this one included
 * @param loss mean per token in nats, before the step
 * @param tokens trained on
 * @param dataWaitNanos waited for the batch
 * @param computeNanos of the model and its optimiser
 * @param emaStallNanos copied parameters for the moving average, and waited for it to keep up
 * @param checkpointStallNanos copied tensors for a checkpoint, and waited for earlier ones; 0 when
 *     none was due
 * @param position of the plan after this step
 */
public record StepReport(
    long step,
    double loss,
    long tokens,
    long dataWaitNanos,
    long computeNanos,
    long emaStallNanos,
    long checkpointStallNanos,
    String position) {}
