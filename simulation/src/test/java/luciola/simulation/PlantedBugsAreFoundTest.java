package luciola.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A check that finds nothing is worth nothing: each mistake made on purpose must be noticed. */
final class PlantedBugsAreFoundTest {
  @ParameterizedTest
  @EnumSource(
      value = PlantedBug.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = "TAKE_LATE_FORWARDS")
  void findsItWithinEightHundredSeedsAndSaysHowToRepeatIt(PlantedBug bug) {
    SimulationResult result = Simulation.run(SimulationOptions.seeds(1, 800).with(bug));
    SimulationResult.Failure failure =
        result.failure().orElseThrow(() -> new AssertionError("not found: " + bug));
    assertFalse(failure.trace().isEmpty());
    assertEquals(
        "./luciola simulate "
            + bug.scenario().commandName()
            + " --seed "
            + failure.seed()
            + " --bug "
            + bug.optionName(),
        failure.replay());
    SimulationResult again = Simulation.run(SimulationOptions.seeds(failure.seed(), 1).with(bug));
    assertEquals(failure.message(), again.failure().orElseThrow().message());
    assertTrue(
        Simulation.run(SimulationOptions.seeds(bug.scenario(), failure.seed(), 1))
            .failure()
            .isEmpty(),
        "the seed fails without the bug, too");
  }
}
