package luciola.meta.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.grpc.v1.AwaitLock;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockKind;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.LockType;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RenewSessions;
import luciola.grpc.v1.SetLock;
import luciola.grpc.v1.TestLock;
import luciola.meta.log.Member;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Locks that are held and waited for while the leader of three members goes, again and again. */
@Timeout(300)
class LocksOverLeadersTest {
  private static final int WORKERS = 4;

  @TempDir Path directory;

  private final List<Member> members = new ArrayList<>();
  private final List<MetaServer> servers = new ArrayList<>();

  @Test
  void whoHasALockKeepsItAndWhoWaitsGetsItAfterwards() throws Exception {
    start();
    try (MetaConnection holder = connect();
        MetaConnection waiter = connect();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      long file = file(holder);
      long session = set(holder, lock(file, LockType.LOCK_TYPE_EXCLUSIVE)).getSession();
      Future<?> waited = threads.submit(() -> take(waiter, file));
      for (int round = 0; round < 2; round++) {
        replaceLeader();
        assertEquals(session, heldSession(holder));
        LockResult tested =
            waiter
                .call(
                    NamespaceRequest.newBuilder()
                        .setTestLock(
                            TestLock.newBuilder()
                                .setLock(lock(file, LockType.LOCK_TYPE_EXCLUSIVE))))
                .getLock();
        assertEquals(holder.client().value(), tested.getConflict().getClient());
        assertTrue(!waited.isDone());
      }
      assertTrue(set(holder, lock(file, LockType.LOCK_TYPE_NONE)).getGranted());
      waited.get(60, TimeUnit.SECONDS);
      assertTrue(!set(holder, lock(file, LockType.LOCK_TYPE_EXCLUSIVE)).getGranted());
    } finally {
      servers.forEach(MetaServer::close);
    }
  }

  @Test
  void neverDoTwoHoldOneLock() throws Exception {
    start();
    var stop = new AtomicBoolean();
    var inside = new AtomicInteger();
    var turns = new AtomicInteger();
    var connections = new ArrayList<MetaConnection>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var working = new ArrayList<Future<?>>();
      try {
        for (int worker = 0; worker < WORKERS; worker++) {
          MetaConnection connection = connect();
          connections.add(connection);
          long file = file(connection);
          working.add(threads.submit(() -> work(connection, file, inside, turns, stop)));
        }
        for (int round = 0; round < 3; round++) {
          int before = turns.get();
          await(() -> turns.get() > before + 2 * WORKERS || isOver(working));
          replaceLeader();
        }
        int before = turns.get();
        await(() -> turns.get() > before + 2 * WORKERS || isOver(working));
      } finally {
        stop.set(true);
      }
      for (Future<?> worker : working) {
        worker.get(120, TimeUnit.SECONDS);
      }
    } finally {
      connections.forEach(MetaConnection::close);
      servers.forEach(MetaServer::close);
    }
  }

  private static boolean isOver(List<Future<?>> working) {
    return working.stream().anyMatch(Future::isDone);
  }

  private static void work(
      MetaConnection connection,
      long file,
      AtomicInteger inside,
      AtomicInteger turns,
      AtomicBoolean stop) {
    while (!stop.get()) {
      take(connection, file);
      assertEquals(1, inside.incrementAndGet(), "two have it");
      LockSupport.parkNanos(1_000_000);
      turns.incrementAndGet();
      inside.decrementAndGet();
      assertTrue(set(connection, lock(file, LockType.LOCK_TYPE_NONE)).getGranted());
    }
  }

  private static void take(MetaConnection connection, long file) {
    FileLock wanted = lock(file, LockType.LOCK_TYPE_EXCLUSIVE);
    while (!set(connection, wanted).getGranted()) {
      var _ =
          connection.call(
              NamespaceRequest.newBuilder().setAwaitLock(AwaitLock.newBuilder().setLock(wanted)));
    }
  }

  private static LockResult set(MetaConnection connection, FileLock lock) {
    return connection
        .call(NamespaceRequest.newBuilder().setSetLock(SetLock.newBuilder().setLock(lock)))
        .getLock();
  }

  private static FileLock lock(long file, LockType type) {
    return FileLock.newBuilder()
        .setInode(file)
        .setKind(LockKind.LOCK_KIND_FILE)
        .setOwner(1)
        .setType(type)
        .build();
  }

  private static long heldSession(MetaConnection connection) {
    return connection
        .call(NamespaceRequest.newBuilder().setRenewSessions(RenewSessions.getDefaultInstance()))
        .getSessions()
        .getLockSession();
  }

  /** The file that all lock. */
  private static long file(MetaConnection connection) {
    return connection
        .call(
            NamespaceRequest.newBuilder()
                .setCreate(Create.newBuilder().setAt(LoopbackClient.at("/locked")).setMode(0644)))
        .getInode()
        .getId();
  }

  private void start() throws IOException {
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), freePort()));
    }
    for (Member member : members) {
      servers.add(start(member));
    }
    await(this::isLed);
    try (var client = new LoopbackClient(leader().port(), 5)) {
      MetaServerTest.createTable(client, 3);
    }
  }

  private MetaServer start(Member self) {
    return MetaServer.start(
        MetaServerConfig.of(directory.resolve(self.id()))
            .withAddress("127.0.0.1", self.servicePort())
            .withMembers(self.id(), members));
  }

  private boolean isLed() {
    return servers.stream().anyMatch(server -> server.leads() && server.clusterId() != 0);
  }

  private MetaServer leader() {
    return servers.stream().filter(MetaServer::leads).findFirst().orElseThrow();
  }

  /** Stops the leader, waits for another one and starts the first again. */
  private void replaceLeader() throws IOException {
    MetaServer last = leader();
    Member self =
        members.stream()
            .filter(member -> member.servicePort() == last.port())
            .findFirst()
            .orElseThrow();
    last.close();
    servers.remove(last);
    await(this::isLed);
    servers.add(start(self));
    await(this::isLed);
  }

  private MetaConnection connect() {
    return MetaConnection.connect(
        MetaOptions.of(members.stream().map(Member::serviceAddress).toList()));
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - deadline < 0, "waited too long");
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return probe.getLocalPort();
    }
  }
}
