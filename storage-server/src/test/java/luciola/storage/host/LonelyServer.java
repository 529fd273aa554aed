package luciola.storage.host;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.routing.Routing;
import luciola.storage.chain.ChainLimits;
import luciola.storage.chain.CollectLimits;
import luciola.storage.peer.Peers;
import luciola.storage.peer.RoutingSource;
import luciola.storage.peer.WholeChunks;
import luciola.storage.replica.ChainObserver;
import luciola.storage.replica.ReplicaParts;
import luciola.storage.replica.ReplicaSettings;
import luciola.storage.resync.ResyncLimits;
import luciola.storage.resync.TokenBucket;

/** A server whose replicas run on one thread and reach no other server. */
public final class LonelyServer implements AutoCloseable {
  private final ScheduledExecutorService owner = Executors.newSingleThreadScheduledExecutor();
  private final PayloadPool memory = new PayloadPool(64 << 20);

  /** The thread that does everything. */
  public ScheduledExecutorService owner() {
    return owner;
  }

  /**
   * What its replicas share.
   *
   * @param routing as it is known now
   * @param reportNow told when something is to be reported
   */
  public ReplicaParts parts(Supplier<Routing> routing, Runnable reportNow) {
    var source =
        new RoutingSource() {
          @Override
          public Routing routing() {
            return routing.get();
          }

          @Override
          public void refresh() {}
        };
    var nobody = new LuciolaException(ErrorCode.CONNECTION_LOST, "nobody else is there");
    return new ReplicaParts(
        new ReplicaSettings(ChainLimits.DEFAULT, ResyncLimits.DEFAULT, Duration.ofSeconds(1), 4),
        _ -> owner,
        owner,
        new Peers(source, (_, _) -> CompletableFuture.failedFuture(nobody), Duration.ofSeconds(1)),
        source,
        new WholeChunks(owner, memory),
        System::nanoTime,
        CollectLimits.keeping(0),
        TokenBucket.unlimited(),
        reportNow,
        ChainObserver.NONE);
  }

  @Override
  public void close() {
    owner.close();
    memory.close();
  }
}
