package luciola.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.simulation.world.Probe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole clusters under fixed seeds. More of them run by {@code ./luciola simulate cluster}. */
final class ClusterSimulationTest {
  private static final int COVERAGE_SEEDS = 600;

  /** What only one seed in a thousand reaches. */
  private static final Set<Probe> NOT_YET = EnumSet.of(Probe.FORWARD_REPLACES_PENDING);

  private static final SimulationResult RESULT = Simulation.run(SimulationOptions.seeds(1, 80));

  @Test
  void clustersKeepAllRulesUnderFaults() {
    RESULT
        .failure()
        .ifPresent(failure -> {
          List<String> trace = failure.trace();
          throw new AssertionError(
              failure.replay()
                  + "\n"
                  + failure.message()
                  + "\n"
                  + String.join(
                      "\n", trace.subList(Math.max(0, trace.size() - 100), trace.size())));
        });
    assertEquals(80, RESULT.seeds());
    assertEquals(0, RESULT.undecided());
  }

  /** Seeds that once broke a rule, each by another mistake of the cores. */
  @ParameterizedTest
  @ValueSource(
      longs = {
        14, 68, 88, 278, 11103, 21477, 22718, 34645, 8761, 77, 100109, 238, 494, 531, 3031, 372,
        9652
      })
  void seedsThatFailedBeforePass(long seed) {
    assertEquals(
        Optional.empty(),
        Simulation.run(SimulationOptions.seeds(seed, 1))
            .failure()
            .map(SimulationResult.Failure::message));
  }

  /** More seeds are run until all are reached, so that a slow machine runs no more than needed. */
  @Test
  void everyRareSituationIsReached() {
    SimulationResult sum = RESULT;
    for (int from = 81; missing(sum).size() > 0 && from <= COVERAGE_SEEDS; from += 40) {
      sum = sum.plus(Simulation.run(SimulationOptions.seeds(from, 40)));
      assertEquals(Optional.empty(), sum.failure().map(SimulationResult.Failure::message));
    }
    assertEquals(List.of(), missing(sum));
  }

  private static List<Probe> missing(SimulationResult result) {
    return Arrays.stream(Probe.values())
        .filter(probe -> probe.scenario() == Scenario.CLUSTER)
        .filter(probe -> !NOT_YET.contains(probe) && !result.probes().containsKey(probe))
        .toList();
  }

  @Test
  void sameSeedGivesTheSameRun() {
    SimulationOptions options = SimulationOptions.seeds(7, 3);
    SimulationResult once = Simulation.run(options);
    SimulationResult again = Simulation.run(options);
    assertEquals(once, again);
  }
}
