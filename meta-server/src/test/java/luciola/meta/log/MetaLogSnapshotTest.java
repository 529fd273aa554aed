package luciola.meta.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.cluster.ClusterState;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two of three members go on, and throw away the log that the third would need. */
class MetaLogSnapshotTest {
  private static final int MADE = 400;
  private static final String NAME = "n".repeat(200);

  @TempDir Path directory;

  private final class Running implements AutoCloseable {
    final RocksStore store;
    final MetaLog log;

    Running(List<Member> members, Member self) {
      Path own = directory.resolve(self.id());
      store = RocksStore.open(own.resolve("db"), 8 << 20);
      log =
          MetaLog.start(
              new LogConfig(
                  own.resolve("raft"),
                  self.id(),
                  members,
                  16,
                  1 << 16,
                  2,
                  1000,
                  1000,
                  100,
                  1 << 16),
              store,
              new Silent(),
              Peers.NONE);
    }

    long inodes() {
      return store.read(view -> Tree.reading(view).counters().getInodes());
    }

    @Override
    public void close() {
      log.close();
      store.close();
    }
  }

  private static final class Silent implements LogListener {
    @Override
    public void answering(Runnable answers) {
      answers.run();
    }

    @Override
    public void leading(ClusterState state) {}

    @Override
    public void following() {}

    @Override
    public void clusterChanged(ClusterState state) {}

    @Override
    public void broken(Throwable cause) {
      throw new AssertionError(cause);
    }
  }

  @Test
  void aMemberThatMissedTheLogIsFilledBySnapshot() throws Exception {
    var members = new ArrayList<Member>();
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), 0));
    }
    try (var one = new Running(members, members.get(0));
        var two = new Running(members, members.get(1))) {
      await(() -> one.log.leads() || two.log.leads());
      MetaLog leader = one.log.leads() ? one.log : two.log;
      submit(
          leader,
          Command.newBuilder().setInitCluster(InitCluster.newBuilder().setClusterId(9)).build());
      for (int i = 0; i < MADE; i++) {
        submit(
            leader,
            Command.newBuilder()
                .setNamespace(
                    NamespaceRequest.newBuilder()
                        .setMakeDirectory(
                            MakeDirectory.newBuilder()
                                .setAt(At.newBuilder().setPath(ByteString.copyFromUtf8(NAME + i)))))
                .build());
      }
      assertEquals(MADE + 1, (one.log.leads() ? one : two).inodes());
      try (var three = new Running(members, members.get(2))) {
        await(() -> three.inodes() == MADE + 1 && three.log.cluster().clusterId() == 9);
        assertTrue(
            logFiles("m3").stream()
                .noneMatch(name -> name.startsWith("log_0-") || name.endsWith("_0")),
            "it never had the start of the log: " + logFiles("m3"));
        submit(leader, Command.getDefaultInstance());
      }
      // What came by snapshot is still there after a restart of its own.
      try (var three = new Running(members, members.get(2))) {
        assertEquals(MADE + 1, three.inodes());
      }
    }
  }

  private List<String> logFiles(String member) throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve(member).resolve("raft"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("log_"))
          .toList();
    }
  }

  private static void submit(MetaLog log, Command command) throws Exception {
    CommandReply reply = log.submit(command).get(60, TimeUnit.SECONDS);
    assertEquals(0, reply.getNamespace().getCode(), reply.getNamespace().getMessage());
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "waited too long");
      LockSupport.parkNanos(5_000_000);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return probe.getLocalPort();
    }
  }
}
