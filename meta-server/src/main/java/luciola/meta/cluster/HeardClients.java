package luciola.meta.cluster;

import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which clients the leader has heard of, and when: soft state of its time in office. Whoever was
 * not heard of for the timeout, in an office that lasts so long, is gone. A leader that did not
 * look for a good part of the timeout was held itself: what it did not hear then says nothing. One
 * owner thread; clients are heard of on any.
 */
public final class HeardClients {
  private final long timeoutNanos;
  private final Map<Long, Long> heardNanos = new ConcurrentHashMap<>();
  private final Set<Long> ending = ConcurrentHashMap.newKeySet();
  private long sinceNanos;
  private long lookedNanos;

  /** A leader that has just begun. */
  public HeardClients(long timeoutNanos, long nowNanos) {
    this.timeoutNanos = timeoutNanos;
    leads(nowNanos);
  }

  /** This member begins to lead. */
  public void leads(long nowNanos) {
    heardNanos.clear();
    sinceNanos = nowNanos;
    lookedNanos = nowNanos;
  }

  /**
   * A client was heard of at this time. Any thread.
   *
   * @return false if it is just being taken for gone: nothing can be promised to it until then
   */
  public boolean heard(long client, long nowNanos) {
    heardNanos.merge(client, nowNanos, Math::max);
    return !ending.contains(client);
  }

  /**
   * Those of the known clients that are gone, to be told of {@link #ended} after. To be asked at
   * least four times in a timeout.
   *
   * @param limit at most so many
   */
  public ImmutableList<Long> gone(Collection<Long> known, int limit, long nowNanos) {
    if (nowNanos - lookedNanos > timeoutNanos / 2) {
      sinceNanos = nowNanos;
    }
    lookedNanos = nowNanos;
    heardNanos.values().removeIf(heard -> nowNanos - heard > 2 * timeoutNanos);
    List<Long> silent =
        known.stream().filter(client -> isSilent(client, nowNanos)).limit(limit).toList();
    ending.addAll(silent);
    // One that was heard of meanwhile may have been told that it goes on.
    silent.stream().filter(client -> !isSilent(client, nowNanos)).forEach(ending::remove);
    return silent.stream().filter(ending::contains).collect(ImmutableList.toImmutableList());
  }

  private boolean isSilent(long client, long nowNanos) {
    return nowNanos - Math.max(sinceNanos, heardNanos.getOrDefault(client, sinceNanos))
        > timeoutNanos;
  }

  /** It was carried out that they are gone, or it failed. */
  public void ended(Collection<Long> gone) {
    ending.removeAll(gone);
  }
}
