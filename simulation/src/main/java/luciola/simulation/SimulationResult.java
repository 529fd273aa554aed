package luciola.simulation;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import luciola.simulation.world.Probe;

/**
 * What came of the runs.
 *
 * @param seeds runs made
 * @param operations client operations in all of them
 * @param undecided chunk histories that were too hard to decide
 * @param undecidedSeeds the runs that they are of
 * @param simulatedNanos simulated time in all of them
 * @param coverage situations that were met and how often
 * @param probes rare situations that were reached
 * @param failures runs that broke a rule
 */
public record SimulationResult(
    int seeds,
    long operations,
    int undecided,
    List<Long> undecidedSeeds,
    long simulatedNanos,
    Map<String, Long> coverage,
    Map<Probe, Reach> probes,
    List<Failure> failures) {
  /** No run. */
  public static final SimulationResult NONE =
      new SimulationResult(0, 0, 0, List.of(), 0, Map.of(), Map.of(), List.of());

  public SimulationResult {
    coverage = ImmutableMap.copyOf(coverage);
    probes = ImmutableMap.copyOf(probes);
    undecidedSeeds = List.copyOf(undecidedSeeds);
    failures = List.copyOf(failures);
  }

  /** The first run that broke a rule. */
  public Optional<Failure> failure() {
    return failures.stream().findFirst();
  }

  /**
   * How a rare situation was reached.
   *
   * @param seeds runs that reached it
   * @param times how often, in all of them
   * @param firstSeed the first of them
   */
  public record Reach(int seeds, long times, long firstSeed) {
    Reach plus(Reach other) {
      return new Reach(
          seeds + other.seeds, times + other.times, Math.min(firstSeed, other.firstSeed));
    }
  }

  /** Both together, this one first. */
  public SimulationResult plus(SimulationResult other) {
    var situations = new TreeMap<>(coverage);
    other.coverage.forEach((situation, times) -> situations.merge(situation, times, Long::sum));
    var reached = new TreeMap<>(probes);
    other.probes.forEach((probe, reach) -> reached.merge(probe, reach, Reach::plus));
    return new SimulationResult(
        seeds + other.seeds,
        operations + other.operations,
        undecided + other.undecided,
        both(undecidedSeeds, other.undecidedSeeds),
        simulatedNanos + other.simulatedNanos,
        situations,
        reached,
        both(failures, other.failures));
  }

  private static <T> List<T> both(List<T> first, List<T> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  /**
   * A run that broke a rule.
   *
   * @param replay the command that repeats it
   * @param trace the last lines of what happened in it
   */
  public record Failure(long seed, String message, String replay, List<String> trace) {
    public Failure {
      trace = List.copyOf(trace);
    }
  }
}
