package luciola.cli.soak.fault;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What is done to the servers. */
public enum FaultKind {
  /** SIGKILL of one storage-server, started again after a while. */
  KILL,
  /** SIGKILL of two storage-servers, one after the other within a second. */
  KILL_TWO,
  /** SIGKILL of all storage-servers. */
  KILL_ALL,
  /** SIGKILL of one, and of another as soon as the first is being filled again. */
  KILL_DURING_RESYNC,
  /**
   * SIGSTOP for longer than the failure time, then SIGCONT; it is asked for old data right then.
   */
  PAUSE,
  /** SIGSTOP for less than the lease. */
  PAUSE_SHORTLY,
  /** SIGKILL of the meta-server that leads, started again after a while. */
  META_KILL,
  /** SIGSTOP of the meta-server that leads for longer than the lease. */
  META_PAUSE,
  /** The meta-server that leads, of several, cut off the network in one of several ways. */
  META_CUT,
  /** The disk of a meta-server, one of several, is empty when it starts again after a SIGKILL. */
  META_WIPE,
  /** Every meta-server, one after the other, is killed and started again. */
  META_ROLL,
  /** Bits flipped in block files of one storage-server, which goes on. */
  CORRUPT,
  /** Block files of one storage-server cut short, while it runs or while it is down. */
  TRUNCATE,
  /** Files written until there is no space, then removed. */
  FULL,
  /** A storage-server cut off the network in one of several ways. */
  CUT;

  /** Its name as an option: {@code kill-all}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** By its name as an option, or by the front of it: {@code kill} names four kinds. */
  public static Optional<Set<FaultKind>> ofOption(String option) {
    var kinds = EnumSet.noneOf(FaultKind.class);
    Arrays.stream(values())
        .filter(
            kind -> kind.optionName().equals(option) || kind.optionName().startsWith(option + "-"))
        .forEach(kinds::add);
    return kinds.isEmpty() ? Optional.empty() : Optional.of(kinds);
  }
}
