package luciola.meta.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.meta.cluster.ClusterState;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;
import org.jspecify.annotations.Nullable;

/** A member's log over a store of its own. */
final class RunningMember implements AutoCloseable {
  final RocksStore store;
  final MetaLog log;

  RunningMember(Path directory, List<Member> members, Member self) {
    this(directory, members, self, null);
  }

  RunningMember(Path directory, List<Member> members, Member self, @Nullable MemberTls tls) {
    Path own = directory.resolve(self.id());
    var peers = new NewGroup(members, self);
    store = RocksStore.open(own.resolve("db"), 8 << 20);
    try {
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
                  1 << 16,
                  tls),
              store,
              new Silent(),
              peers);
      peers.log = log;
    } catch (RuntimeException refused) {
      store.close();
      throw refused;
    }
    // The others have said that they have no log, either.
    await(() -> Files.notExists(own.resolve("recovering")));
  }

  /** The others have no log, whatever they have. */
  private static final class NewGroup implements Peers {
    private final List<Member> members;
    private final Member self;
    private volatile @Nullable MetaLog log;

    NewGroup(List<Member> members, Member self) {
      this.members = members;
      this.self = self;
    }

    @Override
    public void confirm(long round) {
      MetaLog asks = log;
      if (asks != null && round == Recovery.NO_READ) {
        members.stream()
            .filter(member -> !member.equals(self))
            .forEach(member -> asks.confirmed(round, member.id(), 0, -1));
      }
    }

    @Override
    public void readIndex(String leader, long round) {}
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

  /** Addresses of three that are not started. */
  static List<Member> three() throws IOException {
    var members = new ArrayList<Member>();
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), 0));
    }
    return members;
  }

  long inodes() {
    return store.read(view -> Tree.reading(view).counters().getInodes());
  }

  static void submit(MetaLog log, Command command) throws Exception {
    CommandReply reply = log.submit(command).get(60, TimeUnit.SECONDS);
    assertEquals(0, reply.getNamespace().getCode(), reply.getNamespace().getMessage());
  }

  static void await(BooleanSupplier condition) {
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

  @Override
  public void close() {
    log.close();
    store.close();
  }
}
