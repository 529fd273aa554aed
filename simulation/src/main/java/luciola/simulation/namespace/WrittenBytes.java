package luciola.simulation.namespace;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongPredicate;
import luciola.simulation.check.RuleBroken;

/**
 * What storage-servers hold past the ends of files, by the sessions that wrote it. Whoever cuts
 * there must not take what another one that is still there has written and will tell of.
 */
final class WrittenBytes {
  private final LongPredicate writes;
  private final Map<Long, Written> bySession = new HashMap<>();

  private record Written(long inode, long end) {}

  /**
   * @param writes whether a session is there, and of somebody who writes
   */
  WrittenBytes(LongPredicate writes) {
    this.writes = writes;
  }

  /** Bytes up to there are durable, and their writer knows it. */
  void wrote(long inode, long session, long end) {
    bySession.merge(
        session,
        new Written(inode, end),
        (before, now) -> new Written(inode, Math.max(before.end(), now.end())));
  }

  /** A session's writer removes everything past there; returns whether there was anything. */
  boolean cut(long inode, long session, long length) {
    bySession.keySet().removeIf(other -> other != session && !writes.test(other));
    boolean[] any = {false};
    bySession.forEach((other, written) -> {
      if (written.inode() == inode && written.end() > length) {
        any[0] = true;
        if (other != session) {
          throw new RuleBroken(
              "WrittenBytesStay",
              "inode="
                  + inode
                  + " session="
                  + session
                  + " cuts at "
                  + length
                  + " what session="
                  + other
                  + " wrote up to "
                  + written.end());
        }
      }
    });
    return any[0];
  }
}
