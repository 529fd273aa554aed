package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import luciola.grpc.v1.LocalState;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.storage.host.LonelyServer;
import luciola.storage.host.ReplicaHost;
import luciola.storage.index.MemoryKeyValues;
import org.junit.jupiter.api.Test;

/** A target is not given up while one of its replicas may still serve. */
class BrokenDiskReportTest {
  private static final TargetId SELF = new TargetId(1);

  private final LonelyServer server = new LonelyServer();

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

  private static LocalState reported(ReplicaHost host) {
    return host.reports().getFirst().getLocalState();
  }

  @Test
  void aReplicaThatHasNotMetTheEndOfTheDiskKeepsItsTargetInUse() throws Exception {
    var disk = new MemoryDisk(1);
    var goOn = new CountDownLatch(1);
    try (ChunkEngine engine = EngineFixture.open(disk, new MemoryKeyValues(), ReplicaSource.NONE);
        ReplicaHost host =
            new ReplicaHost(
                Map.of(SELF, engine), server.parts(BrokenDiskReportTest::routing, () -> {}))) {
      host.routingChanged(routing());
      Waits.until(() ->
          host.reports().getFirst().getChainsList().stream()
              .anyMatch(chain -> chain.getLocalState() == LocalState.LOCAL_STATE_UP_TO_DATE));
      var held = new CountDownLatch(1);
      server
          .owner()
          .execute(() -> {
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
      server.close();
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
