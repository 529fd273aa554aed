package luciola.protocol.control;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Which meta-server is asked next: the one believed to lead; after a failure the next of the list;
 * after a redirect the one that was named. Any thread.
 */
final class LeaderSearch {
  private static final long AVOIDED_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final ClientAccess access;
  private final List<String> addresses;
  private final Map<String, MetaEndpoint> endpoints = new HashMap<>();
  private final Map<String, Long> avoided = new HashMap<>();
  private int turn;
  private String believed;
  private boolean closed;

  /** The endpoint of the one believed in, if it was asked for already: read without a lock. */
  private volatile @Nullable MetaEndpoint current;

  LeaderSearch(List<String> addresses, ClientAccess access) {
    this.access = access;
    this.addresses = new ArrayList<>(addresses);
    this.believed = addresses.getFirst();
  }

  MetaEndpoint current() {
    MetaEndpoint known = current;
    return known == null ? lookUp() : known;
  }

  private synchronized MetaEndpoint lookUp() {
    if (closed) {
      throw new LuciolaException(ErrorCode.CANCELLED, "meta connection: closed");
    }
    MetaEndpoint found =
        endpoints.computeIfAbsent(believed, address -> new MetaEndpoint(address, access));
    current = found;
    return found;
  }

  /** One after the other, but for those that failed a moment ago; the leader if all did. */
  synchronized MetaEndpoint next() {
    if (closed) {
      throw new LuciolaException(ErrorCode.CANCELLED, "meta connection: closed");
    }
    long now = System.nanoTime();
    for (int tried = 0; tried < addresses.size(); tried++) {
      turn = (turn + 1) % addresses.size();
      String address = addresses.get(turn);
      Long until = avoided.get(address);
      if (until == null || now - until >= 0) {
        avoided.remove(address);
        return endpoints.computeIfAbsent(address, name -> new MetaEndpoint(name, access));
      }
    }
    return endpoints.computeIfAbsent(believed, name -> new MetaEndpoint(name, access));
  }

  /** {@code asked} is not to be {@link #next} for a while. */
  synchronized void avoid(MetaEndpoint asked) {
    avoided.put(asked.address(), System.nanoTime() + AVOIDED_NANOS);
  }

  /** {@code asked} did not answer. */
  synchronized void failed(MetaEndpoint asked) {
    if (asked.address().equals(believed)) {
      int next = (addresses.indexOf(believed) + 1) % addresses.size();
      believed = addresses.get(next);
      current = null;
    }
  }

  /** {@code asked} does not answer at all any more: the next use of it connects anew. */
  void silent(MetaEndpoint asked) {
    synchronized (this) {
      endpoints.remove(asked.address(), asked);
      current = null;
      failed(asked);
    }
    asked.close();
  }

  /** {@code leader} leads instead of {@code silent}: what waits there fails at once. */
  void deposed(MetaEndpoint silent, String leader) {
    synchronized (this) {
      endpoints.remove(silent.address(), silent);
      current = null;
      if (silent.address().equals(believed)) {
        believed = leader;
      }
    }
    silent.close();
  }

  /** All that are known but {@code asked}; none once closed. */
  synchronized List<MetaEndpoint> others(MetaEndpoint asked) {
    if (closed) {
      return List.of();
    }
    return addresses.stream()
        .filter(address -> !address.equals(asked.address()))
        .map(address -> endpoints.computeIfAbsent(address, name -> new MetaEndpoint(name, access)))
        .toList();
  }

  /** There is a meta-server at {@code address}. */
  synchronized void learn(String address) {
    if (!addresses.contains(address)) {
      addresses.add(address);
    }
  }

  /** {@code asked} does not lead and named who does, or nobody (empty). */
  synchronized void redirected(MetaEndpoint asked, String leader) {
    if (leader.isEmpty() || leader.equals(asked.address())) {
      failed(asked);
    } else {
      learn(leader);
      believed = leader;
      current = null;
    }
  }

  synchronized List<String> addresses() {
    return List.copyOf(addresses);
  }

  void close() {
    List<MetaEndpoint> open;
    synchronized (this) {
      closed = true;
      current = null;
      open = List.copyOf(endpoints.values());
      endpoints.clear();
    }
    open.forEach(MetaEndpoint::close);
  }
}
