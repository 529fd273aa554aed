package luciola.cli.soak;

import java.time.Duration;
import java.util.Set;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.load.LoadOptions;

/**
 * A soak.
 *
 * @param duration how long faults happen
 * @param replicas of each chunk
 * @param faults that happen; none: only load
 * @param load what clients do meanwhile
 */
public record SoakOptions(
    Duration duration, int replicas, Set<FaultKind> faults, LoadOptions load) {
  public SoakOptions {
    faults = Set.copyOf(faults);
    if (duration.isNegative() || replicas < 1) {
      throw new IllegalArgumentException("duration=" + duration + " replicas=" + replicas);
    }
  }
}
