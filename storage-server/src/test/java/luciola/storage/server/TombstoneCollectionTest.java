package luciola.storage.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import luciola.protocol.frame.Update;
import luciola.protocol.id.TargetId;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Removed chunks are forgotten by real servers over real connections. */
final class TombstoneCollectionTest {
  private static final int REPLICAS = 3;
  private static final int CHUNKS = 40;

  @TempDir Path directory;

  private static long tombstones(ServerCluster cluster) {
    return cluster.members().stream()
        .mapToLong(member -> cluster.report(member).orElseThrow().getTombstones())
        .sum();
  }

  private static long collected(ServerCluster cluster) {
    return cluster.members().stream()
        .mapToLong(member -> cluster.report(member).orElseThrow().getTombstonesCollected())
        .sum();
  }

  @Test
  void removedChunksAreForgottenEverywhereAndTheirVersionsGoOn() throws IOException {
    try (var cluster =
        new ServerCluster(
            directory,
            REPLICAS,
            config -> config.withKeep(Duration.ofSeconds(1), Duration.ofSeconds(1)))) {
      byte[] bytes = ServerCluster.bytes(1, 5000);
      long newest = 0;
      for (int i = 0; i < CHUNKS; i++) {
        cluster.client.write(cluster.chain, ServerCluster.chunk(i), 0, bytes);
        newest =
            cluster
                .client
                .update(cluster.chain, ServerCluster.chunk(i), new Update.Remove(), new byte[0])
                .version()
                .value();
      }
      Waits.until(
          () -> "all forgotten: " + tombstones(cluster) + " left, " + collected(cluster),
          () -> tombstones(cluster) == 0 && collected(cluster) == (long) REPLICAS * CHUNKS);
      long again =
          cluster.client.write(cluster.chain, ServerCluster.chunk(0), 0, bytes).version().value();
      assertEquals(newest + 1, again, "the version after the floor");
      // A member that comes back takes the floor: it may be the next head.
      int number = cluster.serverOf(cluster.members().getFirst());
      cluster.stop(number);
      cluster.awaitServing(REPLICAS - 1);
      cluster.client.write(cluster.chain, ServerCluster.chunk(1), 0, bytes);
      cluster.start(number);
      cluster.awaitServing(REPLICAS);
      for (TargetId member : cluster.members()) {
        cluster.client.awaitBytes(cluster.chain, member, ServerCluster.chunk(0), bytes);
        cluster.client.awaitBytes(cluster.chain, member, ServerCluster.chunk(1), bytes);
      }
      assertTrue(
          cluster.client.write(cluster.chain, ServerCluster.chunk(2), 0, bytes).version().value()
              > newest);
    }
  }
}
