package luciola.cli.soak.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
      cluster.awaitWhole();
      value += 2;
      cutOffPeers(cluster, (byte) value);
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
   * Cut off its peers only it keeps its lease, and nothing is written through it meanwhile: a write
   * waits and succeeds when it is healed, and nobody reads anything but the two values.
   */
  private static void cutOffPeers(FencedCluster cluster, byte value) throws Exception {
    cluster.write((byte) (value - 1));
    String server = cluster.serverOf(cluster.replicas().get(1));
    CompletableFuture<Void> writing;
    cluster.fleet.cut(server, Cut.PEERS);
    try {
      writing = CompletableFuture.runAsync(() -> cluster.write(value));
      for (ReplicaProbe.Replica each : cluster.replicas()) {
        String said =
            FencedCluster.said(cluster.probe.read(each, cluster.block(), FencedCluster.ASK).join());
        assertTrue(
            !said.startsWith("value")
                || said.equals("value " + (value - 1))
                || said.equals("value " + value),
            said);
      }
    } finally {
      cluster.fleet.heal(server);
    }
    writing.join();
    assertEquals(value, cluster.read());
  }
}
