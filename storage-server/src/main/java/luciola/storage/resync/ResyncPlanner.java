package luciola.storage.resync;

import java.util.ArrayList;
import java.util.List;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;

/**
 * Compares what the source and the syncing replica hold of a range of chunks. The replica's page
 * was read before the source's, so that a chunk made in between is not taken for one to remove.
 *
 * <pre>
 * source                      replica                                          do
 * has it                      lacks it                                         copy, tombstones too
 * lacks it                    has it                                           remove
 * has something pending       anything                                         copy, once that is committed
 * committed                   newer or same, pending                           keep: it was forwarded
 * committed                   another committed version                        copy
 * committed                   same version, other bytes, same chain version    copy, alert
 * committed                   same version, other bytes, other chain version   copy
 * committed                   same version, same bytes                         keep
 * </pre>
 *
 * <p>Equal bytes of an equal version are kept whatever the chain versions are: those say when a
 * member learned of the commit, which differs between members without harm.
 */
public final class ResyncPlanner {
  private ResyncPlanner() {}

  /** What to do about one chunk. */
  public sealed interface Decision {
    ChunkId chunk();

    /**
     * Send it whole.
     *
     * @param version the committed version that the source had when it looked, {@link
     *     ChunkVersion#NONE} if it had only pending ones
     * @param alert whether the replicas disagree where they must not
     */
    record Copy(ChunkId chunk, ChunkVersion version, boolean alert) implements Decision {}

    /** Make the replica forget it. */
    record Remove(ChunkId chunk) implements Decision {}
  }

  /**
   * Decisions for the chunks of both lists, each in the order of ids and over the same range.
   *
   * @return nothing for a chunk that is kept
   */
  public static List<Decision> plan(List<ChunkSummary> source, List<ChunkSummary> replica) {
    var decisions = new ArrayList<Decision>();
    int at = 0;
    for (ChunkSummary held : source) {
      while (at < replica.size() && replica.get(at).chunk().compareTo(held.chunk()) < 0) {
        decisions.add(new Decision.Remove(replica.get(at++).chunk()));
      }
      boolean both = at < replica.size() && replica.get(at).chunk().equals(held.chunk());
      if (both) {
        compare(held, replica.get(at++), decisions);
      } else {
        decisions.add(new Decision.Copy(held.chunk(), held.committed(), false));
      }
    }
    while (at < replica.size()) {
      decisions.add(new Decision.Remove(replica.get(at++).chunk()));
    }
    return decisions;
  }

  private static void compare(ChunkSummary source, ChunkSummary replica, List<Decision> decisions) {
    boolean forwarded =
        replica.newest().compareTo(replica.committed()) > 0
            && replica.newest().compareTo(source.committed()) >= 0;
    if (forwarded) {
      return;
    }
    if (source.newest().compareTo(source.committed()) > 0) {
      decisions.add(new Decision.Copy(source.chunk(), source.committed(), false));
    } else if (!source.committed().equals(replica.committed())) {
      boolean ahead = replica.committed().compareTo(source.newest()) > 0;
      decisions.add(new Decision.Copy(source.chunk(), source.committed(), ahead));
    } else if (!sameBytes(source, replica)) {
      boolean alert = source.chainVersion() == replica.chainVersion();
      decisions.add(new Decision.Copy(source.chunk(), source.committed(), alert));
    }
  }

  private static boolean sameBytes(ChunkSummary a, ChunkSummary b) {
    return a.removed() == b.removed()
        && a.chunkBytes() == b.chunkBytes()
        && a.checksum() == b.checksum();
  }
}
