package luciola.simulation;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What came of the runs. They end with the first failure.
 *
 * @param seeds runs made
 * @param operations client operations in all of them
 * @param undecided chunk histories that were too hard to decide
 * @param simulatedNanos simulated time in all of them
 * @param coverage situations that were met and how often
 */
public record SimulationResult(
    int seeds,
    long operations,
    int undecided,
    long simulatedNanos,
    Map<String, Long> coverage,
    Optional<Failure> failure) {
  public SimulationResult {
    coverage = Map.copyOf(coverage);
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
