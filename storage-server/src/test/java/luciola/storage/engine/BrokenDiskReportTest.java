package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import luciola.grpc.v1.LocalState;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.storage.chain.ChainLimits;
import luciola.storage.chain.CollectLimits;
import luciola.storage.host.ReplicaHost;
import luciola.storage.index.MemoryKeyValues;
import luciola.storage.peer.Peers;
import luciola.storage.peer.RoutingSource;
import luciola.storage.peer.WholeChunks;
import luciola.storage.replica.ChainObserver;
import luciola.storage.replica.ReplicaParts;
import luciola.storage.replica.ReplicaSettings;
import luciola.storage.resync.ResyncLimits;
import luciola.storage.resync.TokenBucket;
import org.junit.jupiter.api.Test;

/** A target is not given up while one of its replicas may still serve. */
class BrokenDiskReportTest {
  private static final TargetId SELF = new TargetId(1);

  private final ScheduledExecutorService owner = Executors.newSingleThreadScheduledExecutor();
  private final PayloadPool memory = new PayloadPool(64 << 20);

  private static Routing routing() {
    var chain =
        new Chain(
            new ChainId(8),
            new ChainVersion(1),
            List.of(new ChainMember(SELF, PublicState.SERVING)));
    return Routing.EMPTY.apply(
        new RoutingDelta(
            Routing.EMPTY.version(),
            new RoutingVersion(1),
            false,
            List.of(),
            List.of(chain),
            List.of()));
  }

  private ReplicaHost host(ChunkEngine engine, Routing routing) {
    var source =
        new RoutingSource() {
          @Override
          public Routing routing() {
            return routing;
          }

          @Override
          public void refresh() {}
        };
    var nobody = new LuciolaException(ErrorCode.CONNECTION_LOST, "nobody else is there");
    return new ReplicaHost(
        Map.of(SELF, engine),
        new ReplicaParts(
            new ReplicaSettings(
                ChainLimits.DEFAULT, ResyncLimits.DEFAULT, Duration.ofSeconds(1), 4),
            _ -> owner,
            owner,
            new Peers(
                source, (_, _) -> CompletableFuture.failedFuture(nobody), Duration.ofSeconds(1)),
            source,
            new WholeChunks(owner, memory),
            System::nanoTime,
            CollectLimits.keeping(0),
            TokenBucket.unlimited(),
            () -> {},
            ChainObserver.NONE));
  }

  private static LocalState reported(ReplicaHost host) {
    return host.reports().getFirst().getLocalState();
  }

  @Test
  void aReplicaThatHasNotMetTheEndOfTheDiskKeepsItsTargetInUse() throws Exception {
    var disk = new MemoryDisk(1);
    var goOn = new CountDownLatch(1);
    try (ChunkEngine engine = EngineFixture.open(disk, new MemoryKeyValues(), ReplicaSource.NONE);
        ReplicaHost host = host(engine, routing())) {
      host.routingChanged(routing());
      Waits.until(() ->
          host.reports().getFirst().getChainsList().stream()
              .anyMatch(chain -> chain.getLocalState() == LocalState.LOCAL_STATE_UP_TO_DATE));
      var held = new CountDownLatch(1);
      owner.execute(() -> {
        held.countDown();
        awaitOn(goOn);
      });
      held.await();
      disk.setFlushFails(true);
      assertThrows(
          CompletionException.class, () -> stage(engine, write(1, 1, 0, bytes(2, 150_000))));
      assertFalse(engine.isHealthy());
      assertEquals(LocalState.LOCAL_STATE_ONLINE, reported(host));
      goOn.countDown();
      Waits.until(() -> reported(host) == LocalState.LOCAL_STATE_OFFLINE);
    } finally {
      goOn.countDown();
      owner.close();
      memory.close();
    }
  }

  private static void awaitOn(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
