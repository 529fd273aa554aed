package luciola.cli.soak.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers in network namespaces; one of them is cut off while everybody else can reach it. */
@Timeout(300)
final class CutOffNetworkTest {
  @TempDir private Path directory;

  @Test
  void whoeverIsCutOffTheManagerStopsServingBeforeAnotherTakesOver() throws Exception {
    String missing = Namespaces.missing();
    assumeTrue(missing == null, "SKIPPED-TIER network: " + missing);
    FleetOptions options = FleetOptions.of(directory, FencedCluster.REPLICAS);
    try (var fleet = ProcessFleet.inNamespaces(options);
        var cluster = new FencedCluster(fleet, options.timings())) {
      int value = 1;
      for (Cut cut : List.of(Cut.MANAGER, Cut.MANAGER_UNHEARD, Cut.MUTE, Cut.DEAF, Cut.ALL)) {
        cluster.awaitWhole();
        value += 2;
        cutOff(cluster, cut, 0, (byte) value);
      }
    }
  }

  @Test
  void aChainTakesWritesAgainWhileAMemberIsCutOffTheOthers() throws Exception {
    String missing = Namespaces.missing();
    assumeTrue(missing == null, "SKIPPED-TIER network: " + missing);
    FleetOptions options = FleetOptions.of(directory, FencedCluster.REPLICAS);
    try (var fleet = ProcessFleet.inNamespaces(options);
        var cluster = new FencedCluster(fleet, options.timings())) {
      for (int position = 0; position < FencedCluster.REPLICAS; position++) {
        cluster.awaitWhole();
        cutOffPeers(cluster, position, (byte) (10 + 3 * position));
      }
    }
  }

  /**
   * While it is cut off, the head is asked again and again by the chain version that it knows. The
   * value is changed as soon as the chain goes on without it: a later question must be refused.
   */
  private static void cutOff(FencedCluster cluster, Cut cut, int position, byte value)
      throws Exception {
    cluster.write((byte) (value - 1));
    ReplicaProbe.Replica replica = cluster.replicas().get(position);
    cluster.probe.prepare(replica);
    String server = cluster.serverOf(replica);
    List<CompletableFuture<ReplicaProbe.Answer>> before = new ArrayList<>();
    List<CompletableFuture<ReplicaProbe.Answer>> after = new ArrayList<>();
    cluster.fleet.cut(server, cut);
    try {
      FencedCluster.await(
          "the chain goes on without " + replica,
          () -> {
            before.add(cluster.probe.read(replica, cluster.block(), FencedCluster.ASK));
            return takenOver(cluster, replica);
          });
      for (int each = 0; each < 50; each++) {
        after.add(cluster.probe.read(replica, cluster.block(), FencedCluster.ASK));
      }
      cluster.write(value);
      assertEquals(value, cluster.read(), cut.name());
    } finally {
      cluster.fleet.heal(server);
    }
    for (CompletableFuture<ReplicaProbe.Answer> each : after) {
      // What it could not hear it answers when it is healed and serves again: then with what is
      // current.
      String said = FencedCluster.said(each.join());
      assertTrue(
          !said.startsWith("value") || said.equals("value " + value),
          cut + " after the take-over: " + said);
    }
    for (CompletableFuture<ReplicaProbe.Answer> each : before) {
      String said = FencedCluster.said(each.join());
      assertTrue(
          !said.startsWith("value")
              || said.equals("value " + (value - 1))
              || said.equals("value " + value),
          cut + " before the take-over: " + said);
    }
  }

  private static boolean takenOver(FencedCluster cluster, ReplicaProbe.Replica replica) {
    return cluster.replicas().stream()
        .noneMatch(each ->
            each.target().equals(replica.target())
                && each.state() == luciola.protocol.routing.PublicState.SERVING);
  }

  /**
   * Cut off its peers only it keeps its lease, so nothing can be written through it: the chain goes
   * on without it before anything is mended, and whoever asks it then gets nothing old.
   */
  private static void cutOffPeers(FencedCluster cluster, int position, byte value)
      throws Exception {
    cluster.write((byte) (value - 1));
    ReplicaProbe.Replica replica = cluster.replicas().get(position);
    cluster.probe.prepare(replica);
    String server = cluster.serverOf(replica);
    cluster.fleet.cut(server, Cut.PEERS);
    try {
      var writing = CompletableFuture.runAsync(() -> cluster.write(value));
      for (ReplicaProbe.Replica each : cluster.replicas()) {
        String said =
            FencedCluster.said(cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join());
        assertTrue(
            !said.startsWith("value")
                || said.equals("value " + (value - 1))
                || said.equals("value " + value),
            said);
      }
      writing.get(90, TimeUnit.SECONDS);
      FencedCluster.await(
          "the client hears that the chain goes on without " + replica,
          () -> takenOver(cluster, replica));
      assertEquals(value, cluster.read(), "position " + position);
      for (int each = 0; each < 50; each++) {
        String said =
            FencedCluster.said(
                cluster.probe.read(replica, cluster.block(), FencedCluster.ASK).join());
        assertTrue(!said.startsWith("value"), "cut off its peers it said " + said);
      }
      cluster.write((byte) (value + 1));
      assertEquals((byte) (value + 1), cluster.read());
    } finally {
      cluster.fleet.heal(server);
    }
    cluster.awaitWhole();
    for (ReplicaProbe.Replica each : cluster.replicas()) {
      ReplicaProbe.Answer answer =
          cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join();
      assertEquals("value " + (value + 1), FencedCluster.said(answer), each.toString());
    }
  }
}
