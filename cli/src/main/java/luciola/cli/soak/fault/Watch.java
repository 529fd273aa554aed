package luciola.cli.soak.fault;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import luciola.cli.operate.ClusterView;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;

/** Asks the meta-server how the cluster is, and waits until it is as wished. */
public final class Watch implements AutoCloseable {
  private static final long CALL_NANOS = 3_000_000_000L;
  private static final long POLL_NANOS = 50_000_000;

  private final MetaConnection meta;
  private final int storageServers;
  private final Duration settle;

  /**
   * Of the cluster with these meta-servers and so many storage-servers.
   *
   * @param settle after which the meta-server knows of every server that is gone
   */
  public Watch(List<String> metaAddresses, int storageServers, Duration settle) {
    this.settle = settle;
    this.meta = MetaConnection.connect(MetaOptions.of(metaAddresses).withCallNanos(CALL_NANOS));
    this.storageServers = storageServers;
  }

  /** What the meta-server says now; empty if it says nothing. */
  public Optional<ClusterView> view() {
    try {
      return Optional.of(ClusterView.of(meta.status()));
    } catch (LuciolaException _) {
      return Optional.empty();
    }
  }

  /** Whether every storage-server lives and every replica serves. */
  public boolean whole(ClusterView view) {
    return view.nodesAlive() >= storageServers
        && !view.chains().isEmpty()
        && view.chainsWhole() == view.chains().size();
  }

  /**
   * Waits until everything serves, and has done so for a while: of a server that was just killed
   * the meta-server still thinks well. What was seen last if it does not become so.
   */
  public Optional<String> awaitWhole(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      Optional<String> seen = await(this::whole, Duration.ofNanos(deadline - System.nanoTime()));
      if (seen.isPresent() || Thread.currentThread().isInterrupted()) {
        return seen;
      }
      Optional<String> stayed = await(view -> !whole(view), settle);
      if (stayed.isPresent()) {
        return Optional.empty();
      }
    }
  }

  /**
   * Waits until the cluster is as wished; what was seen last if it does not become so, or if this
   * thread is interrupted.
   */
  public Optional<String> await(Predicate<ClusterView> wish, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    String seen = "the meta-server does not answer";
    while (System.nanoTime() - deadline < 0 && !Thread.currentThread().isInterrupted()) {
      Optional<ClusterView> view = view();
      if (view.filter(wish).isPresent()) {
        return Optional.empty();
      }
      seen = view.map(Watch::text).orElse(seen);
      LockSupport.parkNanos(POLL_NANOS);
    }
    return Optional.of(seen);
  }

  private static String text(ClusterView view) {
    return "alive="
        + view.nodesAlive()
        + " chains="
        + view.chains().stream().filter(chain -> !chain.whole()).toList()
        + " nodes="
        + view.nodes()
        + " metas="
        + view.metas();
  }

  @Override
  public void close() {
    meta.close();
  }
}
