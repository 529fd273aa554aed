package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.Drain;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.Rebalance;
import luciola.grpc.v1.ReplaceTarget;
import luciola.grpc.v1.StatusReply;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.Routing;
import luciola.storage.engine.EngineConfig;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers leave and join while a client reads and writes. */
@Timeout(400)
final class GrowingClusterTest {
  private static final int FILE_BYTES = (3 << 20) + 4321;
  private static final OpenOptions SMALL_CHUNKS =
      new OpenOptions(true, false, true, 0644, 1 << 18, 0);

  @TempDir Path directory;

  private final List<StorageServer> servers = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private MetaServer meta;

  @SuppressWarnings("NullAway.Init")
  private MetaConnection admin;

  @SuppressWarnings("NullAway.Init")
  private ClusterFileSystem fs;

  @BeforeEach
  void fourServers() throws IOException {
    meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withTimings(
                    new ClusterTimings(200_000_000L, 3_000_000_000L, 5_000_000_000L),
                    TimeUnit.MINUTES.toNanos(5)));
    for (int server = 1; server <= 4; server++) {
      start(server);
    }
    admin = MetaConnection.connect(MetaOptions.of(List.of(address())));
    admin.createTable(CreateTableRequest.newBuilder().setReplicas(3).setChains(8).build());
    fs = ClusterFileSystem.connect(ClusterOptions.of(List.of(address())));
  }

  private String address() {
    return "127.0.0.1:" + meta.port();
  }

  private void start(int server) throws IOException {
    servers.add(
        StorageServer.start(
            StorageServerConfig.of(
                    directory.resolve("node-" + server),
                    List.of(directory.resolve("target-" + server)),
                    List.of(address()))
                .withLabels(Map.of("host", "h" + server))
                .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(4L << 30))));
  }

  @AfterEach
  void stop() {
    fs.close();
    admin.close();
    servers.forEach(StorageServer::close);
    meta.close();
  }

  @Test
  void serversLeaveAndJoinWhileAClientReadsAndWrites() throws Exception {
    for (int i = 0; i < 6; i++) {
      write("/before-" + i, random(i));
    }
    var stop = new AtomicBoolean();
    var reads = new AtomicInteger();
    var writes = new AtomicInteger();
    CompletableFuture<Void> reading =
        CompletableFuture.runAsync(() -> {
          while (!stop.get()) {
            int i = reads.get() % 6;
            assertArrayEquals(random(i), read("/before-" + i));
            reads.incrementAndGet();
          }
        });
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(() -> {
          while (!stop.get()) {
            int i = writes.get();
            write("/during-" + i, random(100 + i));
            assertArrayEquals(random(100 + i), read("/during-" + i));
            writes.incrementAndGet();
          }
        });

    long leaving = servers.get(1).node().value();
    TargetId gone = target(leaving);
    // Two of four servers cannot go: three replicas need three. Nothing changes.
    Routing before = fs.routing();
    assertThrows(
        LuciolaException.class,
        () ->
            admin.operate(
                OperateRequest.newBuilder()
                    .setDrain(Drain.newBuilder().addNodes(leaving).addNodes(leaving + 1))
                    .build()));
    assertEquals(before.chains(), fs.routing().chains());
    assertFalse(admin.status().getNodesList().stream().anyMatch(node -> node.getDraining()));

    // One can: every chain gets another replica, then this server holds none.
    settled(admin, OperateRequest.newBuilder().setDrain(Drain.newBuilder().addNodes(leaving)));
    for (Chain chain : fs.routing().chains().values()) {
      assertEquals(3, chain.serving().size(), chain::toString);
      assertTrue(chain.stateOf(gone).isEmpty(), chain::toString);
    }

    // A new one gets its share.
    start(5);
    TargetId joined = target(servers.get(4).node().value());
    await("the new server is alive", () -> alive(admin.status()) == 5);
    settled(admin, OperateRequest.newBuilder().setRebalance(Rebalance.getDefaultInstance()));
    assertEquals(6, held(fs.routing(), joined));

    // And takes over from one that is dead for good.
    StorageServer dead = servers.get(2);
    TargetId lost = target(dead.node().value());
    dead.close();
    servers.remove(dead);
    start(6);
    TargetId spare = target(servers.getLast().node().value());
    await(
        "the dead one was missed",
        () ->
            fs.routing().chains().values().stream()
                .noneMatch(chain -> chain.serving().contains(lost)));
    settled(
        admin,
        OperateRequest.newBuilder()
            .setReplace(
                ReplaceTarget.newBuilder().setOldTarget(lost.value()).setNewTarget(spare.value())));
    assertEquals(0, held(fs.routing(), lost));
    assertTrue(held(fs.routing(), spare) > 0);

    int readsSoFar = reads.get();
    int writesSoFar = writes.get();
    await(
        "reads and writes go on",
        () ->
            reading.isDone()
                || writing.isDone()
                || (reads.get() > readsSoFar + 1 && writes.get() > writesSoFar + 1));
    stop.set(true);
    reading.join();
    writing.join();
    for (int i = 0; i < writes.get(); i++) {
      assertArrayEquals(random(100 + i), read("/during-" + i));
    }
    assertTrue(writes.get() > 2 && reads.get() > 2);
  }

  /** Does what is asked and waits until every chain of it has its members, all serving. */
  private void settled(MetaConnection admin, OperateRequest.Builder asked) {
    Set<Integer> chains = new HashSet<>();
    admin.operate(asked.build()).getPlansList().forEach(plan -> chains.add(plan.getChainId()));
    assertFalse(chains.isEmpty());
    await(
        "every plan is done",
        () -> admin.status().getPlansCount() == 0 && whole(fs.routing(), admin.status()));
  }

  private static boolean whole(Routing routing, StatusReply status) {
    return routing.version().value() >= status.getRoutingVersion()
        && routing.chains().values().stream()
            .allMatch(chain -> chain.serving().size() == chain.members().size());
  }

  private static int alive(StatusReply status) {
    return (int) status.getNodesList().stream().filter(node -> node.getAlive()).count();
  }

  private static int held(Routing routing, TargetId target) {
    return (int)
        routing.chains().values().stream()
            .flatMap(chain -> chain.members().stream())
            .map(ChainMember::target)
            .filter(target::equals)
            .count();
  }

  private TargetId target(long node) {
    return admin.status().getNodesList().stream()
        .filter(status -> status.getNode().getId() == node)
        .map(status -> new TargetId(status.getNode().getTargets(0)))
        .findFirst()
        .orElseThrow();
  }

  private void write(String path, byte[] bytes) {
    try (WritableFile file = fs.openWrite(path, SMALL_CHUNKS)) {
      for (int at = 0; at < bytes.length; at += 300_000) {
        file.write(at, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 300_000)));
      }
    }
  }

  private byte[] read(String path) {
    try (ReadableFile file = fs.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(Math.max(1, file.length()));
      long count = file.read(0, into).join();
      return into.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static byte[] random(long seed) {
    byte[] bytes = new byte[FILE_BYTES];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A condition that may ask servers. */
  private interface Condition {
    boolean isTrue();
  }

  private static void await(String what, Condition condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!condition.isTrue()) {
      assertTrue(System.nanoTime() - deadline < 0, "not in time: " + what);
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
    }
  }
}
