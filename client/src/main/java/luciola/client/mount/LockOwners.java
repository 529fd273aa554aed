package luciola.client.mount;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import luciola.grpc.v1.LockKind;

/** Who of this mount has locks on a file, and of which session the last one each got is. */
final class LockOwners {
  private static final long[] NONE = {};

  private final Map<Owner, Long> sessions = new HashMap<>();
  private volatile long[] held = NONE;
  private long lost;

  /** An owner as the kernel numbers it, of one kind of locks. */
  record Owner(LockKind kind, long number) {}

  /** It may have one from now on. */
  synchronized void add(Owner owner) {
    sessions.putIfAbsent(owner, 0L);
  }

  /** It has one. A lock of an earlier session, which is lost, is not forgotten over it. */
  synchronized void got(Owner owner, long session) {
    sessions.merge(owner, session, (before, now) -> before == 0 ? now : before);
    count();
  }

  private void count() {
    held =
        sessions.values().stream()
            .mapToLong(each -> each)
            .filter(each -> each != 0)
            .distinct()
            .toArray();
  }

  /** Whether nobody has said before that a session is lost. */
  synchronized boolean isNewlyLost(long session) {
    boolean newly = lost != session;
    lost = session;
    return newly;
  }

  synchronized boolean has(Owner owner) {
    return sessions.containsKey(owner);
  }

  synchronized void remove(Owner owner) {
    sessions.remove(owner);
    count();
  }

  /** It has not got one, unless it has others. */
  synchronized void removeUnheld(Owner owner) {
    sessions.remove(owner, 0L);
  }

  synchronized boolean isEmpty() {
    return sessions.isEmpty();
  }

  synchronized List<Owner> all() {
    return new ArrayList<>(sessions.keySet());
  }

  /** The sessions of all locks; not to be changed. */
  long[] sessions() {
    return held;
  }
}
