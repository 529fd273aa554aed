package luciola.meta.namespace.lock;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockKind;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/**
 * Who waits for a lock. Soft state of the leader: a wait that is lost begins again when its client
 * asks again. One thread at a time.
 *
 * <p>What becomes free is offered to those who have waited longest: one after the other, those that
 * can be held together at the same time. A wait that ends by itself keeps its place for a moment,
 * as its client asks again. Who asks without waiting may still come between, and who waits for more
 * than is free holds nobody up.
 *
 * <p>For ranges a circle of owners that wait for each other is found when its last one begins to
 * wait, by the locks that are held then.
 */
public final class LockWaits {
  private static final long PLACE_NANOS = 2_000_000_000;

  private final int waitsMax;
  private final int clientWaitsMax;

  /** By number: in the order of their places. */
  private final TreeMap<Long, FileLock> waits = new TreeMap<>();

  /** Of waits that have ended by themselves a moment ago, the oldest first. */
  private final Map<FileLock, Place> places = new LinkedHashMap<>();

  private final Map<Long, Integer> ofClient = new HashMap<>();
  private long last;

  /** Locks whose clients want to know when others wait for them. */
  private final Map<Long, FileLock> watches = new LinkedHashMap<>();

  private record Place(long number, long untilNanos) {}

  private record Owner(long client, long number) {
    static Owner of(FileLock lock) {
      return new Owner(lock.getClient(), lock.getOwner());
    }
  }

  /** Waits of all, and of one client. */
  public LockWaits(int waitsMax, int clientWaitsMax) {
    this.waitsMax = waitsMax;
    this.clientWaitsMax = clientWaitsMax;
  }

  /** A wait, or that there is room for no more (0). */
  public long begin(long client, FileLock asked, long nowNanos) {
    FileLock wanted = LockChange.checked(client, asked);
    dropPlaces(nowNanos);
    Place place = places.remove(wanted);
    if (place == null || isFull(client)) {
      return add(client, wanted, waits);
    }
    waits.put(place.number(), wanted);
    ofClient.merge(client, 1, Integer::sum);
    return place.number();
  }

  /** A wait ends by itself; its client may ask again soon. */
  public void pause(long wait, long nowNanos) {
    FileLock wanted = waits.get(wait);
    end(wait);
    dropPlaces(nowNanos);
    if (wanted != null && places.size() < waitsMax) {
      places.putIfAbsent(wanted, new Place(wait, nowNanos + PLACE_NANOS));
    }
  }

  private void dropPlaces(long nowNanos) {
    places.values().removeIf(place -> nowNanos - place.untilNanos() > 0);
  }

  private boolean isFull(long client) {
    return waits.size() + watches.size() >= waitsMax
        || ofClient.getOrDefault(client, 0) >= clientWaitsMax;
  }

  private long add(long client, FileLock lock, Map<Long, FileLock> to) {
    if (isFull(client)) {
      return 0;
    }
    last++;
    to.put(last, lock);
    ofClient.merge(client, 1, Integer::sum);
    return last;
  }

  /** Who has a lock is to be told when another client waits for it; 0: there is no room. */
  public long watch(long client, FileLock held) {
    return add(client, LockChange.checked(client, held), watches);
  }

  /** Whether another client waits for the lock of a watch. */
  public boolean isWanted(long watch) {
    FileLock held = watches.get(watch);
    return held == null || waits.values().stream().anyMatch(wait -> isInTheWay(held, wait));
  }

  /** The watches of locks that are in the way of a wait. */
  public List<Long> disturbed(long wait) {
    FileLock wanted = waits.get(wait);
    return wanted == null
        ? List.of()
        : watches.entrySet().stream()
            .filter(watch -> isInTheWay(watch.getValue(), wanted))
            .map(Map.Entry::getKey)
            .toList();
  }

  private static boolean isInTheWay(FileLock held, FileLock wanted) {
    return held.getClient() != wanted.getClient() && cannotBeTogether(held, wanted);
  }

  private static boolean cannotBeTogether(FileLock one, FileLock other) {
    return one.getInode() == other.getInode()
        && one.getKind() == other.getKind()
        && LockRules.collide(one, other);
  }

  /** Whether a wait is over: nothing is in the way, or there is nothing to lock any more. */
  public boolean isFree(long wait, Tree tree) {
    FileLock wanted = waits.get(wait);
    return wanted == null
        || tree.inode(wanted.getInode()).isEmpty()
        || LockChange.inTheWay(tree, wanted).isEmpty();
  }

  /**
   * Refuses a wait that would never end.
   *
   * @throws Refusal DEADLOCK
   */
  public void requireEnd(long wait, Tree tree) {
    FileLock wanted = waits.get(wait);
    if (wanted == null || wanted.getKind() != LockKind.LOCK_KIND_RANGE) {
      return;
    }
    Owner self = Owner.of(wanted);
    var seen = new HashSet<Owner>();
    var todo = new ArrayDeque<FileLock>();
    todo.add(wanted);
    while (!todo.isEmpty()) {
      FileLock waiting = todo.removeFirst();
      for (FileLock held : tree.locks().of(waiting.getInode(), waiting.getKind())) {
        if (LockRules.collide(held, waiting) && seen.add(Owner.of(held))) {
          Refusal.unless(
              !Owner.of(held).equals(self),
              ErrorCode.DEADLOCK,
              "owners wait for each other: inode=" + wanted.getInode());
          waits.values().stream()
              .filter(other ->
                  other.getKind() == LockKind.LOCK_KIND_RANGE
                      && Owner.of(other).equals(Owner.of(held)))
              .forEach(todo::add);
        }
      }
    }
  }

  /** The waits on an inode that are over: those whose locks can be had together. */
  public List<Long> freed(long inode, Tree tree) {
    return free(wanted -> wanted.getInode() == inode, tree);
  }

  /** The waits that are over, as above. */
  public List<Long> freed(Tree tree) {
    return free(_ -> true, tree);
  }

  private List<Long> free(java.util.function.Predicate<FileLock> which, Tree tree) {
    var free = new ArrayList<Long>();
    var before = new ArrayList<FileLock>();
    waits.forEach((wait, wanted) -> {
      if (which.test(wanted)
          && before.stream().noneMatch(other -> cannotBeTogether(other, wanted))
          && isFree(wait, tree)) {
        free.add(wait);
        before.add(wanted);
      }
    });
    return free;
  }

  /** A wait of a client for exactly this; 0 if there is none. */
  public long find(long client, FileLock asked) {
    FileLock wanted = LockChange.checked(client, asked);
    return waits.entrySet().stream()
        .filter(wait -> wait.getValue().equals(wanted))
        .mapToLong(Map.Entry::getKey)
        .findFirst()
        .orElse(0);
  }

  /** A wait or watch has ended; repeats are nothing. */
  public void end(long wait) {
    FileLock waited = waits.remove(wait);
    FileLock wanted = waited == null ? watches.remove(wait) : waited;
    if (wanted != null) {
      ofClient.computeIfPresent(wanted.getClient(), (_, count) -> count == 1 ? null : count - 1);
    }
  }

  /** Nobody waits or watches. */
  public boolean isEmpty() {
    return waits.isEmpty() && watches.isEmpty();
  }
}
