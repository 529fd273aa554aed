package luciola.simulation;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import luciola.simulation.cluster.ClusterRun;
import luciola.simulation.world.Trace;

/** Runs clusters under seeds. The same seed gives the same run, on every machine. */
public final class ClusterSimulation {
  private static final int TRACE_LINES = 3000;

  private ClusterSimulation() {}

  /** Runs the seeds; a failing one is run again to get its trace. */
  public static SimulationResult run(SimulationOptions options) {
    return run(options, line -> {});
  }

  /**
   * Like {@link #run(SimulationOptions)}.
   *
   * @param output gets the lines of the trace as they come, if the options ask for it
   */
  public static SimulationResult run(SimulationOptions options, Consumer<String> output) {
    Map<String, Long> coverage = new TreeMap<>();
    long operations = 0;
    long simulatedNanos = 0;
    int undecided = 0;
    for (int at = 0; at < options.seeds(); at++) {
      long seed = options.firstSeed() + at;
      Trace trace = new Trace(options.trace() ? TRACE_LINES : 0, output);
      ClusterRun run = new ClusterRun(seed, options, trace);
      Optional<String> broken = run.run();
      run.coverage().forEach((situation, times) -> coverage.merge(situation, times, Long::sum));
      operations += run.operations();
      simulatedNanos += run.simulatedNanos();
      undecided += run.undecided();
      if (broken.isPresent()) {
        return new SimulationResult(
            at + 1,
            operations,
            undecided,
            simulatedNanos,
            coverage,
            Optional.of(failure(seed, broken.get(), options, trace)));
      }
    }
    return new SimulationResult(
        options.seeds(), operations, undecided, simulatedNanos, coverage, Optional.empty());
  }

  private static SimulationResult.Failure failure(
      long seed, String message, SimulationOptions options, Trace trace) {
    Trace full = trace;
    if (trace.lines().isEmpty()) {
      full = new Trace(TRACE_LINES, line -> {});
      var _ = new ClusterRun(seed, options, full).run();
    }
    return new SimulationResult.Failure(seed, message, options.replayCommand(seed), full.lines());
  }
}
