package luciola.simulation.namespace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import luciola.simulation.Scenario;
import luciola.simulation.Simulation;
import luciola.simulation.SimulationOptions;
import luciola.simulation.SimulationResult;
import luciola.simulation.world.Probe;
import org.junit.jupiter.api.Test;

/** The namespace under seeds, against a model of POSIX. */
final class NamespaceSimulationTest {
  private static final int SEEDS = 200;

  @Test
  void everyRuleHoldsAndEveryRareSituationIsReached() {
    SimulationResult result = Simulation.run(SimulationOptions.seeds(Scenario.NAMESPACE, 1, SEEDS));
    assertEquals(Optional.empty(), result.failure().map(SimulationResult.Failure::message));
    assertEquals(SEEDS, result.seeds());
    assertEquals(
        List.of(),
        Arrays.stream(Probe.values())
            .filter(probe -> probe.scenario() == Scenario.NAMESPACE)
            .filter(probe -> !result.probes().containsKey(probe))
            .toList());
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertEquals(trace(4), trace(4));
  }

  private static List<String> trace(long seed) {
    var lines = new ArrayList<String>();
    Simulation.run(
        new SimulationOptions(
            Scenario.NAMESPACE,
            seed,
            1,
            SimulationOptions.OPERATIONS,
            Optional.empty(),
            true,
            false),
        lines::add);
    return lines;
  }
}
