package luciola.meta.server;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import luciola.grpc.v1.RoutingUpdate;
import luciola.meta.cluster.ClusterState;

/**
 * Streams of routing changes. A watcher that is slow gets, when it can take more, one delta of all
 * it has missed: nothing is queued for it.
 */
final class RoutingWatchers {
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();

  /** Sends everything newer than {@code knownVersion}, now and later. */
  void add(
      ServerCallStreamObserver<RoutingUpdate> stream,
      long knownVersion,
      Supplier<ClusterState> present) {
    var watcher = new Watcher(stream, knownVersion, present);
    stream.setOnCancelHandler(() -> watchers.remove(watcher));
    stream.setOnReadyHandler(watcher::send);
    watchers.add(watcher);
    watcher.send();
  }

  void changed() {
    watchers.forEach(Watcher::send);
  }

  void close() {
    watchers.forEach(Watcher::end);
    watchers.clear();
  }

  private static final class Watcher {
    private final ServerCallStreamObserver<RoutingUpdate> stream;
    private final Supplier<ClusterState> present;
    private long sentVersion;
    private boolean first = true;

    Watcher(
        ServerCallStreamObserver<RoutingUpdate> stream,
        long knownVersion,
        Supplier<ClusterState> present) {
      this.stream = stream;
      this.sentVersion = knownVersion;
      this.present = present;
    }

    synchronized void send() {
      if (!stream.isReady() || stream.isCancelled()) {
        return;
      }
      ClusterState state = present.get();
      long version = state.routing().version().value();
      if (first || version != sentVersion) {
        first = false;
        stream.onNext(state.updateSince(sentVersion));
        sentVersion = version;
      }
    }

    synchronized void end() {
      if (!stream.isCancelled()) {
        stream.onCompleted();
      }
    }
  }
}
