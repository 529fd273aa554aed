package luciola.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A check that finds nothing is worth nothing: each mistake made on purpose must be noticed. */
final class PlantedBugsAreFoundTest {
  /** Seeds that met it, of those that take long to find: tried first, to save time. */
  private static final Map<PlantedBug, Long> FOUND_BEFORE =
      Map.of(
          PlantedBug.READ_BEFORE_DECIDED, 214L,
          PlantedBug.KEEP_OLD_ACKS, 58L,
          PlantedBug.LEASE_FROM_REPLY, 118L,
          PlantedBug.REMOVED_UNTOLD, 57L);

  @ParameterizedTest
  @EnumSource(
      value = PlantedBug.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = "TAKE_LATE_FORWARDS")
  void findsItWithinEightHundredSeedsAndSaysHowToRepeatIt(PlantedBug bug) {
    SimulationResult.Failure failure =
        Optional.ofNullable(FOUND_BEFORE.get(bug))
            .flatMap(seed -> Simulation.run(SimulationOptions.seeds(seed, 1).with(bug)).failure())
            .or(() -> Simulation.run(SimulationOptions.seeds(1, 800).with(bug)).failure())
            .orElseThrow(() -> new AssertionError("not found: " + bug));
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
