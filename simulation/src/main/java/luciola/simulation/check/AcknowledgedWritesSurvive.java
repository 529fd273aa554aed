package luciola.simulation.check;

import java.util.Map;
import java.util.TreeMap;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * What a client was told is done is durable on every serving replica from then on, and still there
 * in the end. A removal may be forgotten; then the replica's floor of versions stands for it.
 */
public final class AcknowledgedWritesSurvive {
  private static final String RULE = "AcknowledgedWritesSurvive";

  private final Map<ChunkId, ChunkVersion> acknowledged = new TreeMap<>();
  private final Map<ChunkId, ChainId> chains = new TreeMap<>();
  private final Map<ChunkId, ChunkVersion> forgotten = new TreeMap<>();

  /** A replica as its disk has it. */
  public interface Replica {
    /** The newest durable version of a chunk, committed or not. */
    ChunkVersion newestDurable(ChunkId chunk);

    /** Its durable floor of versions. */
    ChunkVersion floorDurable();

    /** Its name in the report. */
    String name();
  }

  /** A head acknowledges a version; {@code serving}: all replicas that serve at this time. */
  public void acknowledged(
      ChainId chain, ChunkId chunk, ChunkVersion version, Iterable<Replica> serving) {
    chains.put(chunk, chain);
    acknowledged.merge(chunk, version, (a, b) -> a.compareTo(b) >= 0 ? a : b);
    for (Replica replica : serving) {
      ChunkVersion held = held(replica, chunk);
      if (held.compareTo(version) < 0) {
        throw new RuleBroken(
            RULE,
            "acknowledged chunk="
                + chunk
                + " version="
                + version
                + ", but serving "
                + replica.name()
                + " holds durably "
                + held);
      }
    }
  }

  /** Some replica forgets the tombstone of this version. */
  public void forgotten(ChunkId chunk, ChunkVersion removal) {
    forgotten.merge(chunk, removal, (a, b) -> a.compareTo(b) >= 0 ? a : b);
  }

  /** The newest removal of a chunk whose tombstone some replica forgot. */
  public ChunkVersion forgotten(ChunkId chunk) {
    return forgotten.getOrDefault(chunk, ChunkVersion.NONE);
  }

  private ChunkVersion held(Replica replica, ChunkId chunk) {
    ChunkVersion held = replica.newestDurable(chunk);
    ChunkVersion removal = forgotten(chunk);
    return held.equals(ChunkVersion.NONE) && removal.compareTo(replica.floorDurable()) <= 0
        ? removal
        : held;
  }

  /** A replica of a chain in the end. */
  public void check(ChainId chain, Replica replica) {
    acknowledged.forEach((chunk, version) -> {
      if (chains.getOrDefault(chunk, chain).equals(chain)
          && held(replica, chunk).compareTo(version) < 0) {
        throw new RuleBroken(
            RULE,
            "in the end "
                + replica.name()
                + " holds chunk="
                + chunk
                + " version="
                + held(replica, chunk)
                + ", acknowledged was "
                + version);
      }
    });
  }
}
