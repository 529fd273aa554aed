package luciola.storage.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import luciola.grpc.v1.Node;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.Incarnation;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;
import luciola.storage.engine.Waits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which life of a server the cluster manager takes for the present one. */
final class LateRegistrationTest {
  @TempDir Path directory;

  @Test
  void aRegistrationOfAFormerLifeThatComesLateIsRefused() throws IOException {
    try (var cluster = new ServerCluster(directory, 2, config -> config)) {
      TargetId head = cluster.members().getFirst();
      StorageNode former = node(cluster, head);
      int number = cluster.serverOf(head);
      cluster.stop(number);
      cluster.start(number);
      cluster.awaitServing(2);
      long present = incarnation(cluster, former);
      assertTrue(Incarnation.isBefore(former.incarnation(), present));
      var late =
          RegisterRequest.newBuilder()
              .setClusterId(cluster.client.meta.cluster().value())
              .setNodeId(former.id().value())
              .setIncarnation(former.incarnation())
              .setAddress(former.host() + ":" + former.port())
              .build();
      var refusal = assertThrows(LuciolaException.class, () -> cluster.client.meta.register(late));
      assertEquals(ErrorCode.CANCELLED, refusal.code());
      assertEquals(present, incarnation(cluster, former));
    }
  }

  /** An old copy of the directory counts fewer lives than the cluster knows of. */
  @Test
  void aServerWithANewOrAnOldDirectoryBeginsALaterLifeThanAllBefore() throws IOException {
    try (var cluster = new ServerCluster(directory, 2, config -> config)) {
      TargetId head = cluster.members().getFirst();
      StorageNode former = node(cluster, head);
      int number = cluster.serverOf(head);
      cluster.stop(number);
      delete(directory.resolve("s" + number).resolve("node"));
      cluster.start(number);
      Waits.until(
          () -> "a later life of the same node " + node(cluster, head),
          () ->
              node(cluster, head).id().equals(former.id())
                  && Incarnation.isBefore(former.incarnation(), node(cluster, head).incarnation()));
      cluster.awaitServing(2);
    }
  }

  private static StorageNode node(ServerCluster cluster, TargetId target) {
    return cluster.client.routing.routing().nodeOf(target).orElseThrow();
  }

  private static long incarnation(ServerCluster cluster, StorageNode of) {
    return cluster.client.meta.routing(RoutingRequest.getDefaultInstance()).getNodesList().stream()
        .filter(node -> node.getId() == of.id().value())
        .mapToLong(Node::getIncarnation)
        .findFirst()
        .orElseThrow();
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
