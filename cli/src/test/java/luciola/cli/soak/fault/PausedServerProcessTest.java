package luciola.cli.soak.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import luciola.protocol.connection.DataClient;
import luciola.protocol.connection.DataClientOptions;
import luciola.protocol.connection.EventLoops;
import luciola.protocol.connection.ReplyPayload;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is stopped for longer than the failure time and goes on believes at first that no
 * time has passed. Requests wait in its sockets that were right when it was stopped.
 */
@Timeout(300)
final class PausedServerProcessTest {
  /** What a server may say that has no right to serve. */
  private static final Set<String> REFUSALS =
      Set.of("NO_LEASE", "STALE_CHAIN_VERSION", "NOT_SERVING", "NOT_HEAD", "UNKNOWN_CHAIN");

  @TempDir private Path directory;

  @Test
  void noPositionOfAChainServesAfterAPauseWhatOthersHaveChanged() throws Exception {
    FleetOptions options = FleetOptions.of(directory, FencedCluster.REPLICAS);
    try (var fleet = ProcessFleet.prepare(options);
        var cluster = new FencedCluster(fleet, options.timings())) {
      int value = 1;
      for (int position = 0; position < FencedCluster.REPLICAS; position++) {
        cluster.awaitWhole();
        value += 2;
        pausedAt(cluster, position, (byte) value);
      }
      pausedManager(cluster, (byte) (value + 2));
    }
  }

  private static void pausedAt(FencedCluster cluster, int position, byte value) throws Exception {
    cluster.write((byte) (value - 1));
    ReplicaProbe.Replica replica = cluster.replicas().get(position);
    cluster.probe.prepare(replica);
    String server = cluster.serverOf(replica);
    try (var sender = new StaleSender(cluster, replica)) {
      cluster.fleet.pause(server);
      List<CompletableFuture<ReplicaProbe.Answer>> reads = new ArrayList<>();
      CompletableFuture<UpdateReply> update;
      try {
        cluster.awaitTakeover(replica);
        cluster.write(value);
        assertEquals(value, cluster.read(), "position " + position);
        for (int each = 0; each < 20; each++) {
          reads.add(cluster.probe.read(replica, cluster.block(), FencedCluster.ASK));
        }
        update = sender.overwrite((byte) 99);
      } finally {
        cluster.fleet.resume(server);
      }
      for (int each = 0; each < 20; each++) {
        reads.add(cluster.probe.read(replica, cluster.block(), FencedCluster.ASK));
      }
      int refused = 0;
      for (CompletableFuture<ReplicaProbe.Answer> each : reads) {
        // It may serve again by the time it comes to the last ones: then with what is current.
        String said = FencedCluster.said(each.join());
        boolean refusal = REFUSALS.contains(said);
        refused += refusal ? 1 : 0;
        assertTrue(
            refusal || said.equals("value " + value), "position " + position + " said " + said);
      }
      assertTrue(refused > 0, "position " + position + " refused nothing");
      String said = update.join().code().name();
      assertTrue(REFUSALS.contains(said), "position " + position + " took an update: " + said);
    }
    assertEquals(value, cluster.read());
    cluster.awaitWhole();
    for (ReplicaProbe.Replica each : cluster.replicas()) {
      ReplicaProbe.Answer answer =
          cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join();
      assertEquals("value " + value, FencedCluster.said(answer), each.toString());
    }
  }

  /** Without the manager nobody has a lease for long; when it goes on everybody does. */
  private static void pausedManager(FencedCluster cluster, byte value) throws Exception {
    cluster.write(value);
    List<ReplicaProbe.Replica> replicas = cluster.replicas();
    cluster.fleet.pause(cluster.fleet.metaServers().getFirst());
    try {
      for (ReplicaProbe.Replica each : replicas) {
        FencedCluster.await(
            "no lease without a manager",
            () ->
                cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join().code()
                    == ErrorCode.NO_LEASE);
      }
      for (ReplicaProbe.Replica each : replicas) {
        ReplicaProbe.Answer answer =
            cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join();
        assertEquals("NO_LEASE", FencedCluster.said(answer), each.toString());
      }
    } finally {
      cluster.fleet.resume(cluster.fleet.metaServers().getFirst());
    }
    assertEquals(value, cluster.read());
    cluster.write((byte) (value + 1));
    assertEquals((byte) (value + 1), cluster.read());
  }

  /** Sends an update to one replica by a chain version that it held. */
  private static final class StaleSender implements AutoCloseable {
    private final FencedCluster cluster;
    private final ReplicaProbe.Replica replica;
    private final EventLoops loops = EventLoops.start("stale", 1);
    private final long caller = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    private final DataClient client;

    StaleSender(FencedCluster cluster, ReplicaProbe.Replica replica) {
      this.cluster = cluster;
      this.replica = replica;
      this.client =
          DataClient.connect(
                  loops,
                  DataClientOptions.DEFAULTS,
                  replica.host(),
                  replica.port(),
                  new Hello(cluster.files.cluster(), Hello.PROTOCOL_VERSION, caller))
              .join();
    }

    CompletableFuture<UpdateReply> overwrite(byte value) {
      MemorySegment bytes = Arena.ofAuto().allocate(cluster.block().bytes()).fill(value);
      var request =
          new UpdateRequest(
              replica.chain(),
              replica.version(),
              replica.target(),
              new ChunkId(new InodeId(cluster.block().inode()), cluster.block().chunk()),
              new UpdateTag(new ClientId(caller), 0, 1),
              new Update.Write(0, cluster.block().bytes(), 4 << 20),
              Granules.checksums(0, bytes));
      return client.call(
          request, UpdateReply.class, List.of(bytes), ReplyPayload.NONE, FencedCluster.ASK);
    }

    @Override
    public void close() {
      client.close();
      loops.close();
    }
  }
}
