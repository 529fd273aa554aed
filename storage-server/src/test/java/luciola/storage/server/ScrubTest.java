package luciola.storage.server;

import static luciola.storage.server.ServerCluster.bytes;
import static luciola.storage.server.ServerCluster.chunk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.id.TargetId;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What went bad on a disk is found without anybody reading it. */
final class ScrubTest {
  @TempDir Path directory;

  private static StorageServerConfig busy(StorageServerConfig config) {
    return config.withScrub(1L << 30, Duration.ofMillis(100));
  }

  private static void awaitRepair(ServerCluster cluster, TargetId victim) {
    Waits.until(
        () -> "repaired: " + cluster.report(victim),
        () ->
            cluster
                .report(victim)
                .map(TargetReport::getScrub)
                .filter(scrub -> scrub.getRepaired() > 0)
                .isPresent());
  }

  private void isRepaired(BlockDamage damage) throws IOException {
    try (var cluster = new ServerCluster(directory, 2, ScrubTest::busy)) {
      byte[] data = bytes(7, 250_000);
      cluster.client.write(cluster.chain, chunk(0), 0, data);
      TargetId victim = cluster.members().getLast();
      cluster.client.awaitBytes(cluster.chain, victim, chunk(0), data);
      damage.toBlockOf(data, cluster.blocks(cluster.serverOf(victim)));
      awaitRepair(cluster, victim);
      cluster.client.awaitBytes(cluster.chain, victim, chunk(0), data);
      Waits.until(
          () -> "a pass ends: " + cluster.report(victim),
          () ->
              cluster
                  .report(victim)
                  .map(TargetReport::getScrub)
                  .filter(scrub -> scrub.getPasses() > 1 && scrub.hasLastPassAgeNanos())
                  .isPresent());
    }
  }

  @Test
  void aFlippedBitIsFoundAndRepaired() throws IOException {
    isRepaired(BlockDamage.flip(1000));
  }

  @Test
  void aTruncatedBlockFileIsFoundAndRepaired() throws IOException {
    isRepaired(BlockDamage.cut());
  }

  @Test
  void whatNoOtherReplicaHasIsReportedAndOnlyThatChunkFails() throws IOException {
    try (var cluster = new ServerCluster(directory, 1, ScrubTest::busy)) {
      byte[] bad = bytes(7, 100_000);
      byte[] good = bytes(8, 100_000);
      cluster.client.write(cluster.chain, chunk(0), 0, bad);
      cluster.client.write(cluster.chain, chunk(1), 0, good);
      TargetId only = cluster.members().getLast();
      cluster.client.awaitBytes(cluster.chain, only, chunk(0), bad);
      BlockDamage.flip(1000).toBlockOf(bad, cluster.blocks(cluster.serverOf(only)));
      Waits.until(
          () -> "found: " + cluster.report(only),
          () ->
              cluster
                  .report(only)
                  .map(TargetReport::getScrub)
                  .filter(scrub -> scrub.getFound() > 0)
                  .isPresent());
      assertEquals(0, cluster.report(only).orElseThrow().getScrub().getRepaired());
      assertTrue(cluster.report(only).orElseThrow().getChecksumErrors() > 0);
      ReadReply.Result failed =
          cluster.client.readOnce(cluster.chain, only, chunk(0), 0, Arena.ofAuto().allocate(5000));
      assertEquals(ErrorCode.CHECKSUM_MISMATCH, failed.code());
      cluster.client.awaitBytes(cluster.chain, only, chunk(1), good);
      cluster.client.write(cluster.chain, chunk(2), 0, good);
    }
  }
}
