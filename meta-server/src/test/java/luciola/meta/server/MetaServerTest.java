package luciola.meta.server;

import static luciola.meta.server.LoopbackClient.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.IdentifyRequest;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.NamespaceRequests;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.StatusRequest;
import luciola.grpc.v1.TargetRegistration;
import luciola.grpc.v1.TargetReport;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetaServerTest {
  @TempDir Path directory;

  private MetaServerConfig config() {
    return MetaServerConfig.of(directory.resolve("meta")).withAddress("127.0.0.1", 0);
  }

  @Test
  void keepsNamespaceAndClusterOverARestart() {
    long cluster;
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      cluster = server.clusterId();
      assertNotEquals(0, cluster);
      createTable(client, 3);
      assertOk(client.call(mkdirs(client, "/data/set")));
      NamespaceReply made = client.call(create(client, "/data/set/a"));
      assertOk(made);
      assertEquals(6, made.getInode().getLayout().getStripe());
      assertTrue(made.getOpen().getSession() != 0);
    }
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 6)) {
      assertEquals(cluster, server.clusterId());
      assertOk(client.call(lookup(client, "/data/set/a")));
      StatusReply status = client.admin.status(StatusRequest.getDefaultInstance());
      assertEquals(3, status.getNodesCount());
      assertEquals(6, status.getChainsCount());
      assertEquals(4, status.getInodes());
      assertEquals(
          "127.0.0.1:" + server.port(),
          client.cluster.identify(IdentifyRequest.getDefaultInstance()).getLeader());
    }
  }

  @Test
  void aRestartAfterSnapshotsFindsEverything() {
    int made = 300;
    try (MetaServer server = MetaServer.start(config().withSnapshotEntries(100));
        var client = new LoopbackClient(server.port(), 5)) {
      for (int i = 0; i < made; i++) {
        assertOk(client.call(mkdirs(client, "/d" + i)));
      }
    }
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 6)) {
      for (int i = 0; i < made; i++) {
        assertOk(client.call(lookup(client, "/d" + i)));
      }
    }
  }

  @Test
  void answersManyRequestsOfOneStreamAndARepeatedOneOnce() throws Exception {
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      var replies = new ConcurrentHashMap<Long, NamespaceReply>();
      var ended = new CompletableFuture<Boolean>();
      StreamObserver<NamespaceRequests> requests =
          NamespaceGrpc.newStub(client.channel)
              .calls(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(NamespaceReplies message) {
                      for (NamespaceReply reply : message.getRepliesList()) {
                        replies.put(reply.getSequence(), reply);
                      }
                    }

                    @Override
                    public void onError(Throwable failure) {
                      ended.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {
                      ended.complete(true);
                    }
                  });
      List<NamespaceRequest> sent = new ArrayList<>();
      for (int i = 0; i < 3000; i++) {
        sent.add(
            client
                .request()
                .setAcknowledgedSequence(0)
                .setMakeDirectory(MakeDirectory.newBuilder().setAt(at("/s" + i)).setMode(0755))
                .build());
      }
      // Messages of 1, 2, 3 … requests.
      for (int from = 0, size = 1; from < sent.size(); from += size, size++) {
        int to = Math.min(sent.size(), from + size);
        requests.onNext(
            NamespaceRequests.newBuilder().addAllRequests(sent.subList(from, to)).build());
      }
      requests.onCompleted();
      assertTrue(ended.get(60, TimeUnit.SECONDS));
      assertEquals(3000, replies.size());
      replies.values().forEach(MetaServerTest::assertOk);
      NamespaceReply again = client.namespace.call(sent.get(7));
      assertEquals(replies.get(sent.get(7).getSequence()), again);
    }
  }

  @Test
  void aMessageOfFarTooManyRequestsEndsItsStreamOnly() throws Exception {
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      var ended = new CompletableFuture<Status>();
      StreamObserver<NamespaceRequests> requests =
          NamespaceGrpc.newStub(client.channel)
              .calls(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(NamespaceReplies message) {}

                    @Override
                    public void onError(Throwable failure) {
                      ended.complete(Status.fromThrowable(failure));
                    }

                    @Override
                    public void onCompleted() {
                      ended.complete(Status.OK);
                    }
                  });
      NamespaceRequests.Builder tooMany = NamespaceRequests.newBuilder();
      for (int i = 0; i < 4_097; i++) {
        tooMany.addRequests(NamespaceRequest.getDefaultInstance());
      }
      requests.onNext(tooMany.build());
      assertEquals(Status.Code.INVALID_ARGUMENT, ended.get(60, TimeUnit.SECONDS).getCode());
      assertOk(client.call(lookup(client, "/")));
    }
  }

  @Test
  void heartbeatsCarryLeasesAndRoutingIsWatched() {
    try (MetaServer server = MetaServer.start(config());
        var client = new LoopbackClient(server.port(), 5)) {
      Iterator<RoutingUpdate> watched =
          client
              .cluster
              .withDeadlineAfter(30, TimeUnit.SECONDS)
              .watchRouting(RoutingRequest.getDefaultInstance());
      long known = watched.next().getVersion();
      createTable(client, 3);
      int chains = 0;
      while (chains < 6) {
        RoutingUpdate update = watched.next();
        assertEquals(known, update.getFromVersion());
        known = update.getVersion();
        chains += update.getChainsCount();
      }
      assertEquals(
          0,
          client
              .cluster
              .getRouting(RoutingRequest.newBuilder().setKnownVersion(known).build())
              .getChainsCount());
    }
  }

  @Test
  void aSilentClientLosesItsSessions() {
    var timings = new ClusterTimings(20_000_000, 100_000_000, 200_000_000);
    try (MetaServer server =
            MetaServer.start(config().withTimings(timings, TimeUnit.SECONDS.toNanos(1)));
        var client = new LoopbackClient(server.port(), 5);
        var other = new LoopbackClient(server.port(), 6)) {
      createTable(client, 3);
      NamespaceReply made = client.call(create(client, "/f"));
      assertOk(made);
      assertOk(
          other.call(
              other
                  .request()
                  .setUnlink(luciola.grpc.v1.Unlink.newBuilder().setAt(at("/f")))
                  .setIdentity(luciola.grpc.v1.Identity.getDefaultInstance())));
      await(() -> client.admin.status(StatusRequest.getDefaultInstance()).getGarbage() == 1);
      // Also in its own memory of requests it is a new client now.
      NamespaceReply closed =
          client.call(
              client
                  .request()
                  .setClose(
                      luciola.grpc.v1.Close.newBuilder()
                          .setInode(made.getInode().getId())
                          .setSession(made.getOpen().getSession())));
      assertEquals(ErrorCode.BAD_SESSION.number(), closed.getCode());
    }
  }

  @Test
  void aTakenPortIsNamedAndLeavesNothingBehind() {
    try (MetaServer server = MetaServer.start(config())) {
      LuciolaException refused =
          assertThrows(
              LuciolaException.class,
              () ->
                  MetaServer.start(
                      MetaServerConfig.of(directory.resolve("second"))
                          .withAddress("127.0.0.1", server.port())));
      assertTrue(String.valueOf(refused.getMessage()).contains("port=" + server.port()));
      assertTrue(Files.notExists(directory.resolve("second")));
    }
  }

  @Test
  void refusesADirectoryThatIsNotItsOwn() throws Exception {
    long cluster;
    try (MetaServer server = MetaServer.start(config())) {
      cluster = server.clusterId();
      assertEquals(
          ErrorCode.INVALID_ARGUMENT,
          assertThrows(LuciolaException.class, () -> MetaServer.start(config())).code(),
          "in use");
    }
    assertEquals(
        ErrorCode.WRONG_CLUSTER,
        assertThrows(
                LuciolaException.class, () -> MetaServer.start(config().withCluster(cluster + 1)))
            .code());
    Path identity = directory.resolve("meta/IDENTITY");
    Files.writeString(identity, Files.readString(identity).replace("format=1", "format=2"));
    assertEquals(
        ErrorCode.FORMAT_TOO_NEW,
        assertThrows(LuciolaException.class, () -> MetaServer.start(config())).code());
  }

  /** Registers servers that nobody has, and a chain over them. */
  static void createTable(LoopbackClient client, int nodes) {
    long cluster = client.cluster.identify(IdentifyRequest.getDefaultInstance()).getClusterId();
    for (int node = 1; node <= nodes; node++) {
      RegisterReply registered =
          client.cluster.register(
              RegisterRequest.newBuilder()
                  .setClusterId(cluster)
                  .setIncarnation(70 + node)
                  .setAddress("127.0.0.1:" + (9000 + node))
                  .addTargets(TargetRegistration.newBuilder().setUuid(100 + node))
                  .build());
      assertEquals(0, registered.getCode(), registered.getMessage());
      assertTrue(registered.getTimings().getLeaseNanos() > 0);
      HeartbeatRequest beat =
          HeartbeatRequest.newBuilder()
              .setClusterId(cluster)
              .setNodeId(registered.getNodeId())
              .setIncarnation(70 + node)
              .addTargets(
                  TargetReport.newBuilder()
                      .setTargetId(registered.getTargetIds(0))
                      .setLocalState(LocalState.LOCAL_STATE_ONLINE))
              .build();
      HeartbeatReply[] reply = {HeartbeatReply.getDefaultInstance()};
      await(() -> {
        reply[0] = client.cluster.heartbeat(beat);
        return reply[0].getCode() == 0;
      });
      assertTrue(reply[0].getLeaseNanos() > 0);
    }
    CreateTableReply table =
        client.admin.createTable(CreateTableRequest.newBuilder().setReplicas(nodes).build());
    assertEquals(0, table.getCode(), table.getMessage());
    assertEquals(1, table.getTableVersion());
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(Condition condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.holds()) {
      assertTrue(System.nanoTime() < deadline, "waited too long");
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static void assertOk(NamespaceReply reply) {
    assertEquals(0, reply.getCode(), reply.getMessage());
  }

  private static NamespaceRequest.Builder mkdirs(LoopbackClient client, String path) {
    return client
        .request()
        .setMakeDirectory(
            MakeDirectory.newBuilder().setAt(at(path)).setMode(0755).setParents(true));
  }

  private static NamespaceRequest.Builder create(LoopbackClient client, String path) {
    return client
        .request()
        .setCreate(Create.newBuilder().setAt(at(path)).setMode(0644).setOpenForWrite(true));
  }

  private static NamespaceRequest.Builder lookup(LoopbackClient client, String path) {
    return client.request().setLookup(Lookup.newBuilder().setAt(at(path)));
  }
}
