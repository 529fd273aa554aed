package luciola.cli.soak;

import java.time.Duration;
import java.util.Set;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.load.LoadOptions;

/**
 * A soak.
 *
 * @param duration how long faults happen
 * @param once each kind of fault once and no longer; the duration is then the most it may take
 * @param replicas of each chunk
 * @param faults that happen; none: only load
 * @param load what clients do meanwhile
 */
public record SoakOptions(
    Duration duration, boolean once, int replicas, Set<FaultKind> faults, LoadOptions load) {
  public SoakOptions {
    faults = Set.copyOf(faults);
    if (duration.isNegative() || replicas < 1) {
      throw new IllegalArgumentException("duration=" + duration + " replicas=" + replicas);
    }
  }

  /** One kind of fault after the other for so long. */
  public static SoakOptions forTime(
      Duration duration, int replicas, Set<FaultKind> faults, LoadOptions load) {
    return new SoakOptions(duration, false, replicas, faults, load);
  }

  /** Each kind of fault once. */
  public static SoakOptions eachOnce(
      Duration most, int replicas, Set<FaultKind> faults, LoadOptions load) {
    return new SoakOptions(most, true, replicas, faults, load);
  }
}
