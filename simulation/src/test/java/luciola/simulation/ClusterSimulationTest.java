package luciola.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole clusters under fixed seeds. More of them run by {@code ./luciola simulate cluster}. */
final class ClusterSimulationTest {
  private static final SimulationResult RESULT =
      ClusterSimulation.run(SimulationOptions.seeds(1, 80));

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
  @ValueSource(longs = {14, 68, 88, 278, 11103, 21477, 22718, 34645, 8761})
  void seedsThatFailedBeforePass(long seed) {
    assertEquals(
        Optional.empty(),
        ClusterSimulation.run(SimulationOptions.seeds(seed, 1))
            .failure()
            .map(SimulationResult.Failure::message));
  }

  @Test
  void faultsReallyHappen() {
    Map<String, Long> met = RESULT.coverage();
    for (String situation :
        new String[] {
          "a crash lost writes",
          "a crash lost a commit mark",
          "a crash kept a write that had not been reported durable",
          "a client sent an update again",
          "a forward was refused: MISSING_UPDATE",
          "a forward was refused: STALE_CHAIN_VERSION",
          "a member became head",
          "a member went from LAST_SERVING to SERVING",
          "a member went from SYNCING to SERVING",
          "a read was refused: NO_LEASE",
          "a read was served while updates were pending",
          "all servers crashed at once",
          "pending versions were dropped",
          "resync installed a copy",
          "the manager restarted"
        }) {
      assertTrue(met.containsKey(situation), "never met: " + situation + " in " + met);
    }
  }

  @Test
  void sameSeedGivesTheSameRun() {
    SimulationOptions options = SimulationOptions.seeds(7, 3);
    SimulationResult once = ClusterSimulation.run(options);
    SimulationResult again = ClusterSimulation.run(options);
    assertEquals(once, again);
  }
}
