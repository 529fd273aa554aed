package luciola.simulation.world;

import java.util.Locale;
import luciola.simulation.Scenario;

/**
 * Rare situations in which replication goes wrong if it goes wrong at all. Each is to be reached by
 * some of a fixed set of seeds: a rule that holds where nothing happens says nothing.
 */
public enum Probe {
  // Reads.
  PENDING_READ_AT_MIDDLE("a member between head and tail asks the head because of a reader"),
  QUERY_ANSWERED_COMMITTED("the head says that what was pending is not committed yet"),
  QUERY_ANSWERED_PENDING("the head says that what was pending is committed"),
  QUERY_OVERTAKEN_BY_CHAIN("the answer to a version query comes under a newer chain version"),
  READ_WAITED_AT_NEW_HEAD("a new head keeps a read until what it inherited is committed"),
  READ_REFUSED_WITHOUT_LEASE("a read is refused because the lease has ended"),
  LEASE_ENDED_WHILE_READING("a read that was decided is refused because the lease has ended"),
  READ_OF_PENDING_CHUNK_AT_HEAD("the head serves the committed version of a chunk being updated"),

  // Updates.
  LARGE_WRITE("a client writes more than goes into the metadata: bytes are flushed first"),
  PIPELINED_VERSIONS("three versions of one chunk are under way at once"),
  RETRY_AFTER_HEAD_CHANGE("an update is sent again to another head, and done"),
  DUPLICATE_WHILE_PENDING("a retry meets its own update under way"),
  DUPLICATE_OF_DONE("a retry is answered from the dedup record"),
  DUPLICATE_AFTER_RESTART("a retry is answered from a dedup record of a former life"),
  DUPLICATE_FROM_RESYNC("a retry is answered from a dedup record that resync handed over"),
  DUPLICATE_AT_NEW_HEAD("a retry is answered by a head that did not take the update first"),
  LATE_ACK_OF_OLDER_CHAIN("an acknowledgement of an older chain version arrives"),
  FORWARD_GAP_REFUSED("a forward is refused because one before it is missing"),
  FORWARD_REPLACES_PENDING("a forward replaces another client's version that was never committed"),
  STALE_CHAIN_REFUSED("a forward of another chain version is refused"),
  REMOVED_AND_RECREATED("a chunk is written again after it was removed"),
  NO_SPACE_AT_HEAD("the head has no room and refuses; nothing was sent on"),
  NO_SPACE_AT_MIDDLE("a member behind the head has no room for what the head accepted"),
  WRITE_DIED_WITH_CLIENT("a client dies while its update is under way, and the update is done"),
  EFFECT_DELAYED_BY_PAUSE("a server is held between what it decided and what it does about it"),
  PAUSED_BEYOND_LEASE("a server is held longer than its lease and goes on with old requests"),

  // Changes of chains.
  HEAD_CHANGED_WITH_PENDING("a member becomes head with updates under way"),
  TWO_SYNCING_AT_ONCE("two members of a chain are filled at the same time"),
  ONE_FILLED_BEFORE_ANOTHER("a member serves again while another one before it is still filled"),
  SYNC_SOURCE_DIED("the source of a resync dies"),
  SYNC_TARGET_DIED("the replica that is being filled dies"),
  DOUBLE_FAILURE_DURING_RESYNC("source and replica of a resync die together"),
  RESYNC_RESUMED("a resync begins again where a former one was interrupted"),
  WHOLE_CHUNK_FORWARDED("an update goes to a syncing member as a whole chunk"),
  REPLACEMENT_DURING_COPY("a syncing member gets an update of a chunk whose copy is being written"),
  COPY_PASSED_OVER("a copy comes after a newer update and is passed over"),
  COPY_OF_TOMBSTONE("a resync copies a tombstone"),
  PENDING_DROPPED_AT_SYNC("a returning member drops updates that were never committed"),
  LAST_SERVING_REVIVED_FIRST("the first of several that served last brings the chain back"),
  LAST_SERVING_REVIVED_OTHER("another than the first of those that served last does"),
  COMMITTED_AFTER_OUTAGE("an update under way in an outage of the whole chain is committed later"),
  CUT_OFF_MEMBER_PASSED(
      "an update is done while a member lives that the others cannot reach, and the link is cut"),
  NEW_LIFE_FENCED("a restarted member still counted as serving takes part in nothing"),

  // Collection of tombstones.
  TOMBSTONE_COLLECTED("a tombstone is forgotten"),
  COLLECTION_ABANDONED("a collection of tombstones is abandoned because the chain changes"),
  FLOOR_TAKEN("an update of a chunk that is not known gets the version after the floor"),
  FLOOR_HANDED_OVER("a member that is filled takes a floor"),
  LATE_FORWARD_OF_COLLECTED("a late forward meets a chunk that was forgotten"),
  DUPLICATE_OF_COLLECTED("a retry is answered though its chunk was forgotten"),

  // Disks.
  TORN_WRITE_AT_PENDING("a loss of power tears pages of a version that was not durable yet"),
  UNSYNCED_PAGES_LOST("a loss of power takes pages that were not flushed"),
  UNSYNCED_METADATA_LOST("a loss of power takes commit marks that were not synced"),
  BLOCK_REUSED("a block that was freed is written again"),
  ROT_FOUND_BY_READ("a read finds bad bytes"),
  ROT_FOUND_BY_SCRUB("the scrub finds bad bytes"),
  ROT_ON_SEVERAL_SERVERS("bits are turned over on several servers at the same time"),
  ROT_REPAIRED("bad bytes are repaired from another replica"),
  DISK_FAILED("a disk fails and its target leaves its chains"),
  DISK_MENDED("a target whose disk failed is opened again while its server goes on"),

  // The manager.
  MANAGER_CHANGED("another meta-server becomes leader"),
  MANAGER_CHANGED_DURING_RESYNC("another meta-server becomes leader while a replica is filled"),
  MANAGER_CHANGED_DURING_DRAIN("another meta-server becomes leader while a drain is under way"),
  OLD_PROPOSAL_SURVIVED("a decision of a former leader is applied under the new one"),
  OLD_PROPOSAL_LOST("a decision of a former leader is lost"),
  DEPOSED_LEADER_SPOKE("a leader that was deposed without knowing it answers or decides"),
  LEASES_CROSS_LEADERS("a lease of the former leader lasts when the new one takes over"),

  // Membership.
  MEMBER_ADDED("a chain gains a member"),
  MEMBER_LEFT("a member leaves a chain for good"),
  MEMBER_LEFT_WITH_WRITE_IN_FLIGHT("a member leaves a chain while an update is under way in it"),
  MEMBER_CAME_BACK("a target becomes a member of a chain that it left before"),
  CHAIN_DATA_DROPPED("a target drops what it held of a chain that it left"),
  DRAIN_INTERRUPTED("a server dies while it is being drained"),
  DRAIN_COMPLETED("a drain completes"),

  // The namespace.
  CHANGE_SENT_AGAIN("a change is sent again after it was done", Scenario.NAMESPACE),
  CHANGE_SENT_AGAIN_TO_NEW_LEADER(
      "a change that one leader did is sent again to another", Scenario.NAMESPACE),
  CHANGE_OF_FORMER_LEADER("a change of a leader that is lost survives", Scenario.NAMESPACE),
  CHANGE_LOST_WITH_LEADER("a change is lost with its leader and sent again", Scenario.NAMESPACE),
  READ_AT_FOLLOWER("a read at a member that does not lead", Scenario.NAMESPACE),
  READ_BY_DEPOSED_LEADER("a deposed leader is asked and refuses", Scenario.NAMESPACE),
  READ_DURING_CHANGE("a read is answered while changes are decided", Scenario.NAMESPACE),
  MEMBER_REPLAYED("a restarted member applies entries again that it had lost", Scenario.NAMESPACE),
  MEMBER_FROM_SNAPSHOT("a member begins with another one's snapshot", Scenario.NAMESPACE),
  MEMBER_WIPED("a member loses its disk", Scenario.NAMESPACE),
  CLIENT_EXPIRED("the sessions of a dead client end", Scenario.NAMESPACE),
  LIVE_CLIENT_EXPIRED(
      "a client that was held too long finds its sessions ended", Scenario.NAMESPACE),
  OPEN_FILE_REMOVED("a file loses its last name while it is open", Scenario.NAMESPACE),
  REMOVED_FILE_KEPT("a reader takes its session after the last name has gone", Scenario.NAMESPACE),
  KEPT_IN_REMOVED_TREE(
      "a reader takes its session in a removed tree that was not walked yet", Scenario.NAMESPACE),
  READER_TOO_LATE(
      "a reader asks for a session when a collector has the file already", Scenario.NAMESPACE),
  NAMED_WHEN_CLOSED("a file that was made without a name gets one", Scenario.NAMESPACE),
  NAMED_IN_PLACE_OF_ANOTHER(
      "a file that was made without a name takes another one's", Scenario.NAMESPACE),
  NAMING_REFUSED("a close that names a file is refused and leaves it open", Scenario.NAMESPACE),
  UNTOLD_BYTES_CUT("a writer removes what it wrote past the end", Scenario.NAMESPACE),
  NOT_HELD_BESIDE_OTHERS(
      "a writer may not cut past the end, because others write", Scenario.NAMESPACE),
  WAITED_FOR_CUT("somebody waits while a writer cuts past the end", Scenario.NAMESPACE),
  LATE_LENGTH_IGNORED("a length of an older truncate generation is ignored", Scenario.NAMESPACE),
  TREE_REMOVED("a tree that is not empty is removed at once", Scenario.NAMESPACE),
  QUOTA_MET("a change is refused because of a quota", Scenario.NAMESPACE),
  LENGTH_OVER_QUOTA("a length is refused because of a quota when it is told", Scenario.NAMESPACE),
  RENAME_OVER_QUOTA("a rename is refused because of a quota", Scenario.NAMESPACE),
  TREE_MOVED_UNDER_QUOTAS(
      "a directory that is not empty moves where other quotas count", Scenario.NAMESPACE),
  CHANGED_WHILE_COUNTED("something changes while usage is being counted", Scenario.NAMESPACE),
  LET_IN_WHILE_COUNTED(
      "what exceeds a quota is let in while usage is being counted", Scenario.NAMESPACE),
  COUNTED_BY_ANOTHER_LEADER(
      "usage that one leader began to count another one counts on", Scenario.NAMESPACE),
  QUOTA_REMOVED_WITH_DIRECTORY("the last quota goes with its directory", Scenario.NAMESPACE);

  private final String says;
  private final Scenario scenario;

  Probe(String says) {
    this(says, Scenario.CLUSTER);
  }

  Probe(String says, Scenario scenario) {
    this.says = says;
    this.scenario = scenario;
  }

  /** Where it can be reached. */
  public Scenario scenario() {
    return scenario;
  }

  /** As a name: {@code pending-read-at-middle}. */
  public String probeName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** In words. */
  public String says() {
    return says;
  }
}
