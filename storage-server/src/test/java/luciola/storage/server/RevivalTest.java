package luciola.storage.server;

import static luciola.storage.server.ServerCluster.bytes;
import static luciola.storage.server.ServerCluster.chunk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A chain whose servers all stopped comes back with one of those that served last. */
final class RevivalTest {
  private static final int REPLICAS = 3;

  @TempDir Path directory;

  @Test
  void theLastToServeBringsTheChainBackWithAllThatWasAcknowledged() throws IOException {
    try (var cluster = new ServerCluster(directory, REPLICAS, config -> config)) {
      byte[] first = bytes(1, 300_000);
      cluster.client.write(cluster.chain, chunk(0), 0, first);
      List<TargetId> members = cluster.members();
      TargetId last = members.getFirst();
      int number = cluster.serverOf(last);
      for (int i = 0; i < REPLICAS; i++) {
        if (i != number) {
          cluster.stop(i);
        }
      }
      cluster.awaitServing(1);
      byte[] alone = bytes(2, 5000);
      cluster.client.write(cluster.chain, chunk(1), 0, alone);
      cluster.stop(number);
      cluster.start(number);
      cluster.awaitServing(1);
      cluster.client.awaitBytes(cluster.chain, last, chunk(0), first);
      cluster.client.awaitBytes(cluster.chain, last, chunk(1), alone);
      for (int i = 0; i < REPLICAS; i++) {
        if (i != number) {
          cluster.start(i);
        }
      }
      cluster.awaitServing(REPLICAS);
      for (TargetId member : members) {
        cluster.client.awaitBytes(cluster.chain, member, chunk(0), first);
        cluster.client.awaitBytes(cluster.chain, member, chunk(1), alone);
      }
    }
  }

  /** All die at once; whoever is called last-serving can revive the chain alone. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void afterADeathOfAllAnyOfTheLastServingMembersIsEnough(int choice) throws IOException {
    try (var cluster = new ProcessCluster(directory, REPLICAS)) {
      TestClient client = cluster.client;
      ChainId chain = cluster.chain;
      for (int i = 0; i < 20; i++) {
        client.write(chain, chunk(i), 0, bytes(i, 5000));
      }
      cluster.killAll();
      Chain stopped = client.await(chain, "none serves", it -> it.serving().isEmpty());
      List<TargetId> last =
          stopped.members().stream()
              .filter(member -> member.state() == PublicState.LAST_SERVING)
              .map(ChainMember::target)
              .toList();
      assertFalse(last.isEmpty());
      TargetId reviver = last.get(choice % last.size());
      // Targets were registered in the order of the servers' starts.
      cluster.start(Math.toIntExact(reviver.value()) - 1);
      Chain revived = client.await(chain, "one serves", it -> TestClient.serve(it, 1));
      assertEquals(reviver, revived.head().orElseThrow());
      for (int i = 0; i < 20; i++) {
        client.awaitBytes(chain, reviver, chunk(i), bytes(i, 5000));
      }
      client.write(chain, chunk(0), 0, bytes(77, 5000));
    }
  }
}
