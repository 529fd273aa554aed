package luciola.client.cluster;

/**
 * Until when this client may believe in its locks. All of them are of one session, which the
 * meta-servers end with the client's lease; a lock of an earlier session is lost. Any thread.
 */
final class LockLease {
  private long session;
  private long untilNanos;
  private boolean known;

  /** The session that new locks are of, as far as this client knows; 0: there is none. */
  synchronized long session() {
    return session;
  }

  /**
   * A lock was granted.
   *
   * @return whether the session is one that no renewal has answered for yet
   */
  synchronized boolean granted(long inSession) {
    if (Long.compareUnsigned(inSession, session) > 0) {
      session = inSession;
      known = false;
    }
    return !known;
  }

  /**
   * A renewal was answered.
   *
   * @param before the session when it was sent
   * @param now the session that there is at the meta-servers; 0: none
   * @param until when the lease ends at the earliest, by {@link System#nanoTime}
   */
  synchronized void renewed(long before, long now, long until) {
    if (now == session && now != 0) {
      untilNanos = known ? Math.max(untilNanos, until) : until;
      known = true;
    } else if (session == before) {
      session = now;
      untilNanos = until;
      known = now != 0;
    }
  }

  /** Whether locks of a session are lost for good. */
  synchronized boolean isLost(long ofSession) {
    return ofSession != session;
  }

  /** Whether locks of a session are this client's at a time. */
  synchronized boolean holds(long ofSession, long nowNanos) {
    return ofSession == session && known && nowNanos - untilNanos < 0;
  }
}
