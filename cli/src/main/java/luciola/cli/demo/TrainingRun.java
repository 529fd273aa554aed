package luciola.cli.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.cli.train.TrainEvent;
import org.jspecify.annotations.Nullable;

/** What one worker process told. Filled by the thread that reads its output, read by the demo. */
final class TrainingRun {
  private final List<TrainEvent.Stepped> steps = new ArrayList<>();
  private TrainEvent.@Nullable Started started;

  synchronized void add(TrainEvent event) {
    switch (event) {
      case TrainEvent.Started start -> started = start;
      case TrainEvent.Stepped step -> steps.add(step);
      case TrainEvent.Ended _ -> {
        // Its exit code says the same.
      }
    }
    notifyAll();
  }

  synchronized Optional<TrainEvent.Started> started() {
    return Optional.ofNullable(started);
  }

  synchronized List<TrainEvent.Stepped> steps() {
    return List.copyOf(steps);
  }

  /** The report of one step. */
  synchronized Optional<TrainEvent.Stepped> step(long number) {
    return steps.stream().filter(step -> step.step() == number).findFirst();
  }

  /** The last step done; 0 before the first. */
  synchronized long lastStep() {
    return steps.isEmpty() ? 0 : steps.getLast().step();
  }

  /** Mean loss of some steps from the front or the back. */
  double meanLoss(boolean front, int count) {
    List<TrainEvent.Stepped> all = steps();
    int take = Math.min(count, all.size());
    List<TrainEvent.Stepped> part =
        front ? all.subList(0, take) : all.subList(all.size() - take, all.size());
    return part.stream().mapToDouble(TrainEvent.Stepped::loss).average().orElse(Double.NaN);
  }

  /** Where the time of the steps went. */
  Shares shares() {
    double wait = 0;
    double compute = 0;
    double ema = 0;
    double checkpoint = 0;
    long tokens = 0;
    double checkpointMax = 0;
    for (TrainEvent.Stepped step : steps()) {
      wait += step.dataWaitSeconds();
      compute += step.computeSeconds();
      ema += step.emaStallSeconds();
      checkpoint += step.checkpointStallSeconds();
      checkpointMax = Math.max(checkpointMax, step.checkpointStallSeconds());
      tokens += step.tokens();
    }
    return new Shares(wait, compute, ema, checkpoint, checkpointMax, tokens);
  }

  /** Seconds of all steps together, and the longest stall of one checkpoint. */
  record Shares(
      double waitSeconds,
      double computeSeconds,
      double emaSeconds,
      double checkpointSeconds,
      double checkpointSecondsMax,
      long tokens) {
    double totalSeconds() {
      return waitSeconds + computeSeconds + emaSeconds + checkpointSeconds;
    }
  }
}
