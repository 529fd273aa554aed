package luciola.simulation;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A mistake that the simulated servers make on purpose, to show that the rules would notice it. */
public enum PlantedBug {
  /** A disk says that metadata is durable when it was only handed to it. */
  ACK_BEFORE_DURABLE,
  /** Replicas are told of leases that nobody granted. */
  SERVE_WITHOUT_LEASE,
  /** Reads of pending chunks do not wait for the head's word. */
  SKIP_VERSION_QUERY,
  /** The disk forgets which client updates it has applied. */
  NO_DEDUP,
  /** An acknowledgement of a former chain version counts in a newer one. */
  KEEP_OLD_ACKS,
  /** Resync hands over dedup records of updates that are not committed. */
  EARLY_DEDUP_RECORDS,
  /** A new leader of the meta-servers takes for dead whom it has not heard of yet. */
  NO_GRACE,
  /** A server's lease counts from when the reply to its heartbeat came. */
  LEASE_FROM_REPLY,
  /** A tombstone is dropped as soon as it is committed. */
  EARLY_TOMBSTONE_DROP,
  /** Metadata becomes durable before the bytes that it names. */
  METADATA_BEFORE_DATA,
  /** What was read is answered although the lease ended meanwhile. */
  NO_CHECK_AFTER_READ,
  /** A member that steps down counts as told of it whatever its server reports. */
  REMOVED_UNTOLD,
  /** A member that is being filled counts as complete, so that others leave before it is. */
  COMPLETE_TOO_EARLY,
  /** Members forget tombstones, but only the head raises its floor of versions. */
  COLLECT_WITHOUT_FLOOR,
  /** The head forgets tombstones of its own accord. */
  COLLECT_WITHOUT_ASKING,
  /** A forward counts as sent after the last collection whenever it was sent. */
  TAKE_LATE_FORWARDS,

  /** A leader of the meta-servers reads its own state without asking whether it still leads. */
  STALE_META_READ(Scenario.NAMESPACE),
  /** A leader counts every member that answers as one that still has its term. */
  AGREE_BLINDLY(Scenario.NAMESPACE),
  /** A member reads what it has applied, and does not wait for what the leader named. */
  READ_BEHIND(Scenario.NAMESPACE),
  /** A leader reads what it has applied, though others may have applied more. */
  READ_BEFORE_DECIDED(Scenario.NAMESPACE),
  /** The meta-servers do not remember what they answered. */
  FORGET_REPLIES(Scenario.NAMESPACE),
  /** A change is answered before the log has it. */
  ANSWER_BEFORE_LOG(Scenario.NAMESPACE),
  /** A new leader takes for gone which client it has not heard of yet. */
  EXPIRE_AT_ONCE(Scenario.NAMESPACE),
  /** A restarted member leaves out an entry of the log. */
  SKIP_ENTRY(Scenario.NAMESPACE),
  /** A client takes a new sequence when it asks again. */
  RETRY_ANEW(Scenario.NAMESPACE),
  /** A removed file is taken away at once, whoever may read it. */
  COLLECT_AT_ONCE(Scenario.NAMESPACE),
  /** A writer that is refused removes what lies past the end although others write. */
  CUT_BESIDE_OTHERS(Scenario.NAMESPACE);

  private final Scenario scenario;

  PlantedBug() {
    this(Scenario.CLUSTER);
  }

  PlantedBug(Scenario scenario) {
    this.scenario = scenario;
  }

  /** Where it can be made. */
  public Scenario scenario() {
    return scenario;
  }

  /** As an option: {@code ack-before-durable}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The bug of that option name. */
  public static Optional<PlantedBug> ofOption(String option) {
    return Arrays.stream(values()).filter(bug -> bug.optionName().equals(option)).findFirst();
  }
}
