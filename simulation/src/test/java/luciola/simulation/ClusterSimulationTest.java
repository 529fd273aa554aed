package luciola.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Whole clusters under fixed seeds. More of them run by {@code ./luciola simulate cluster}. */
final class ClusterSimulationTest {
  @Test
  void clustersKeepAllRulesUnderFaults() {
    SimulationResult result = ClusterSimulation.run(SimulationOptions.seeds(1, 60));
    result
        .failure()
        .ifPresent(failure -> {
          throw new AssertionError(
              failure.replay()
                  + "\n"
                  + failure.message()
                  + "\n"
                  + String.join(
                      "\n",
                      failure
                          .trace()
                          .subList(
                              Math.max(0, failure.trace().size() - 100), failure.trace().size())));
        });
    assertEquals(60, result.seeds());
    assertEquals(0, result.undecided());
  }

  @Test
  void faultsReallyHappen() {
    Map<String, Long> met = ClusterSimulation.run(SimulationOptions.seeds(100, 60)).coverage();
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
