package luciola.simulation;

import java.util.Optional;

/**
 * Which runs to make.
 *
 * @param scenario what is simulated
 * @param firstSeed seed of the first run; the next have the next numbers
 * @param seeds how many runs, 1 or more
 * @param operations client operations of each run, 1 or more
 * @param bug a mistake to make on purpose
 * @param trace whether to print everything that happens
 * @param keepGoing whether seeds follow one that broke a rule
 */
public record SimulationOptions(
    Scenario scenario,
    long firstSeed,
    int seeds,
    int operations,
    Optional<PlantedBug> bug,
    boolean trace,
    boolean keepGoing) {
  /** Client operations of a run unless told otherwise. */
  public static final int OPERATIONS = 400;

  public SimulationOptions {
    if (seeds < 1 || operations < 1) {
      throw new IllegalArgumentException(
          "bad simulation: seeds=" + seeds + " operations=" + operations);
    }
  }

  /** That many seeds of clusters, nothing special. */
  public static SimulationOptions seeds(long firstSeed, int seeds) {
    return seeds(Scenario.CLUSTER, firstSeed, seeds);
  }

  /** That many seeds, nothing special. */
  public static SimulationOptions seeds(Scenario scenario, long firstSeed, int seeds) {
    return new SimulationOptions(
        scenario, firstSeed, seeds, OPERATIONS, Optional.empty(), false, false);
  }

  /** The same with a bug. */
  public SimulationOptions with(PlantedBug planted) {
    return new SimulationOptions(
        planted.scenario(), firstSeed, seeds, operations, Optional.of(planted), trace, keepGoing);
  }

  /** The command that repeats one run. */
  public String replayCommand(long seed) {
    return "./luciola simulate "
        + scenario.commandName()
        + " --seed "
        + seed
        + (operations == OPERATIONS ? "" : " --ops " + operations)
        + bug.map(planted -> " --bug " + planted.optionName()).orElse("");
  }
}
