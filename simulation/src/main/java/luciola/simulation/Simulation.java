package luciola.simulation;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import luciola.simulation.world.Probe;
import luciola.simulation.world.Trace;

/** Runs simulated worlds under seeds. The same seed gives the same run, on every machine. */
public final class Simulation {
  private static final int TRACE_LINES = 3000;

  private Simulation() {}

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
    SimulationResult sum = SimulationResult.NONE;
    for (int at = 0;
        at < options.seeds() && (options.keepGoing() || sum.failures().isEmpty());
        at++) {
      sum = sum.plus(one(options.firstSeed() + at, options, output));
    }
    return sum;
  }

  private static SimulationResult one(
      long seed, SimulationOptions options, Consumer<String> output) {
    Trace trace = new Trace(options.trace() ? TRACE_LINES : 0, output);
    SimulatedRun run = options.scenario().run(seed, options, trace);
    Optional<String> broken = run.run();
    Map<Probe, SimulationResult.Reach> probes = new EnumMap<>(Probe.class);
    run.reached()
        .forEach((probe, times) -> probes.put(probe, new SimulationResult.Reach(1, times, seed)));
    return new SimulationResult(
        1,
        run.operations(),
        run.undecided(),
        run.undecided() == 0 ? List.of() : List.of(seed),
        run.simulatedNanos(),
        run.coverage(),
        probes,
        broken.map(message -> failure(seed, message, options, trace)).stream().toList());
  }

  private static SimulationResult.Failure failure(
      long seed, String message, SimulationOptions options, Trace trace) {
    Trace full = trace;
    if (trace.lines().isEmpty()) {
      full = new Trace(TRACE_LINES, line -> {});
      var _ = options.scenario().run(seed, options, full).run();
    }
    return new SimulationResult.Failure(seed, message, options.replayCommand(seed), full.lines());
  }
}
