package luciola.protocol.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.Routing;
import luciola.protocol.routing.RoutingDelta;
import luciola.protocol.routing.StorageNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class MetaConnectionTest {
  private static final long CLUSTER = 77;
  private static final Executor THREADS = command -> Thread.ofVirtual().start(command);

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  @Test
  void sharesTwoStreamsBetweenManyCallersAndUsesOneForFew() throws Exception {
    FakeMeta meta = meta();
    meta.answer = reply -> reply.setInode(Inode.newBuilder().setId(reply.getSequence()));
    MetaConnection connection = connect(meta.address());
    for (int i = 0; i < 20; i++) {
      assertEquals(i + 1, connection.call(getAttributes(1)).getInode().getId());
    }
    assertEquals(1, meta.streams.size());
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        var _ = callers.submit(() -> connection.call(getAttributes(1)));
      }
    }
    assertEquals(220, meta.received.size());
    assertTrue(meta.streams.size() <= 2, "streams: " + meta.streams.size());
    assertEquals(220, meta.received.stream().map(NamespaceRequest::getSequence).distinct().count());
  }

  @Test
  void readsGoToAllMembersInTurnAndPassOverOneThatIsGone() throws Exception {
    FakeMeta one = meta();
    FakeMeta other = meta();
    MetaConnection connection =
        MetaConnection.connect(
            MetaOptions.of(List.of(one.address(), other.address())).withReadsAnywhere(true));
    open.add(connection);
    for (int i = 0; i < 10; i++) {
      var _ = connection.call(getAttributes(1));
    }
    assertEquals(5, one.received.size());
    assertEquals(5, other.received.size());
    assertTrue(one.received.stream().allMatch(NamespaceRequest::getAnyMember));
    // A change goes to the leader, and says nothing of any member.
    var _ =
        connection.call(
            NamespaceRequest.newBuilder().setMakeDirectory(MakeDirectory.getDefaultInstance()));
    assertEquals(6, one.received.size());
    assertFalse(List.copyOf(one.received).getLast().getAnyMember());

    other.close();
    for (int i = 0; i < 10; i++) {
      var _ = connection.call(getAttributes(1));
    }
    assertEquals(16, one.received.size());
  }

  @Test
  void oneThatKnowsOfNoClusterYetIsAskedAgain() throws Exception {
    FakeMeta young = new FakeMeta(0);
    open.add(young);
    FakeMeta old = meta();
    assertEquals(new ClusterId(CLUSTER), connect(young.address(), old.address()).cluster());
    MetaOptions impatient =
        MetaOptions.of(List.of(young.address())).withCallNanos(TimeUnit.MILLISECONDS.toNanos(50));
    var fault = assertThrows(LuciolaException.class, () -> MetaConnection.connect(impatient));
    assertEquals(ErrorCode.NOT_LEADER, fault.code());
  }

  @Test
  void acknowledgesOnlyWhatHasEnded() throws Exception {
    FakeMeta meta = meta();
    MetaConnection connection = connect(meta.address());
    connection.call(getAttributes(1));
    connection.call(getAttributes(2));
    assertEquals(0, meta.received.get(0).getAcknowledgedSequence());
    assertEquals(1, meta.received.get(1).getAcknowledgedSequence());
    meta.mute = true;
    CompletableFuture<NamespaceReply> slow =
        CompletableFuture.supplyAsync(() -> connection.call(getAttributes(3)));
    await(() -> meta.received.size() == 3);
    meta.mute = false;
    connection.call(getAttributes(4));
    connection.call(getAttributes(5));
    assertEquals(2, meta.received.getLast().getAcknowledgedSequence());
    meta.streams.getFirst().onError(Status.UNAVAILABLE.asRuntimeException());
    slow.join();
    connection.call(getAttributes(6));
    assertEquals(5, meta.received.getLast().getAcknowledgedSequence());
  }

  @Test
  void repeatsWithTheSameSequenceOverANewStream() throws Exception {
    FakeMeta meta = meta();
    meta.mute = true;
    MetaConnection connection = connect(meta.address());
    CompletableFuture<NamespaceReply> call =
        CompletableFuture.supplyAsync(() -> connection.call(getAttributes(1)));
    await(() -> !meta.received.isEmpty());
    meta.mute = false;
    meta.streams.getFirst().onError(Status.UNAVAILABLE.asRuntimeException());
    call.join();
    assertEquals(2, meta.received.size());
    assertEquals(meta.received.get(0).getSequence(), meta.received.get(1).getSequence());
    assertEquals(meta.received.get(0).getClientId(), meta.received.get(1).getClientId());
  }

  @Test
  void followsTheLeader() throws Exception {
    FakeMeta leader = meta();
    FakeMeta follower = meta();
    follower.follow(leader);
    MetaConnection connection = connect(follower.address());
    connection.call(getAttributes(1));
    connection.call(getAttributes(2));
    assertEquals(1, follower.received.size());
    assertEquals(2, leader.received.size());
  }

  @Test
  void leavesASilentLeaderAsSoonAsAnotherOneLeads() throws Exception {
    FakeMeta paused = meta();
    FakeMeta follower = meta();
    FakeMeta successor = meta();
    follower.known = paused.address();
    successor.known = paused.address();
    // The third is not in the list: it is heard of from the second.
    MetaConnection connection = patient(paused.address(), follower.address());
    connection.call(getAttributes(1));
    paused.paused = true;
    List<CompletableFuture<NamespaceReply>> calls = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      calls.add(CompletableFuture.supplyAsync(() -> connection.call(getAttributes(2)), THREADS));
    }
    var routing =
        CompletableFuture.supplyAsync(
            () -> connection.routing(RoutingRequest.getDefaultInstance()), THREADS);
    await(() -> follower.asked.get() >= 3);
    assertTrue(calls.stream().noneMatch(CompletableFuture::isDone), "left a leader for nobody");

    follower.known = successor.address();
    successor.known = successor.address();
    calls.forEach(CompletableFuture::join);
    routing.join();
    assertEquals(51, paused.received.size());
    assertEquals(50, successor.received.size());
    assertEquals(
        paused.received.stream().skip(1).map(NamespaceRequest::getSequence).sorted().toList(),
        successor.received.stream().map(NamespaceRequest::getSequence).sorted().toList());
  }

  @Test
  void aMemberThatHearsNothingMovesNobody() throws Exception {
    FakeMeta slow = meta();
    FakeMeta deaf = meta();
    FakeMeta deposed = meta();
    slow.known = slow.address();
    deaf.known = deposed.address();
    deposed.known = slow.address();
    MetaConnection connection = patient(slow.address(), deaf.address(), deposed.address());
    connection.call(getAttributes(1));
    slow.mute = true;
    CompletableFuture<NamespaceReply> call =
        CompletableFuture.supplyAsync(() -> connection.call(getAttributes(2)), THREADS);
    await(() -> deaf.asked.get() >= 4 && deposed.asked.get() >= 4);
    assertFalse(call.isDone());
    assertEquals(1, slow.streams.size());
    slow.reply(slow.received.getLast());
    call.join();
    assertEquals(2, slow.received.size());
    assertEquals(0, deaf.received.size() + deposed.received.size());
  }

  @Test
  void connectsWhereThereIsALeaderIfTheFirstOfTheListIsSilent() throws Exception {
    FakeMeta paused = meta();
    FakeMeta leader = meta();
    paused.paused = true;
    leader.known = leader.address();
    MetaConnection connection = patient(paused.address(), leader.address());
    connection.call(getAttributes(1));
    assertEquals(1, leader.received.size());
  }

  @Test
  void findsAServerThatAnswers() throws Exception {
    FakeMeta meta = meta();
    MetaConnection connection = connect("127.0.0.1:" + unusedPort(), meta.address());
    connection.call(getAttributes(1));
    assertEquals(1, meta.received.size());
  }

  @Test
  void survivesARestartOfTheOnlyServer() throws Exception {
    FakeMeta first = new FakeMeta(CLUSTER);
    MetaConnection connection = connect(first.address());
    connection.call(getAttributes(1));
    int port = first.port();
    first.close();
    CompletableFuture<NamespaceReply> call =
        CompletableFuture.supplyAsync(() -> connection.call(getAttributes(2)));
    FakeMeta second = new FakeMeta(CLUSTER, port);
    open.add(second);
    call.join();
    assertEquals(1, second.received.size());
  }

  @Test
  void givesUpAtItsDeadlineWithTheLastError() throws Exception {
    FakeMeta meta = meta();
    meta.mute = true;
    MetaConnection connection =
        MetaConnection.connect(
            MetaOptions.of(List.of(meta.address()))
                .withCallNanos(TimeUnit.MILLISECONDS.toNanos(300)));
    open.add(connection);
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> connection.call(getAttributes(1)));
    assertEquals(ErrorCode.TIMED_OUT, fault.code());
    assertTrue(String.valueOf(fault.getMessage()).contains(meta.address()));
  }

  @Test
  void raisesWhatTheServerAnswered() throws Exception {
    FakeMeta meta = meta();
    AtomicInteger asked = new AtomicInteger();
    meta.answer =
        reply -> {
          asked.incrementAndGet();
          return reply.setCode(ErrorCode.NOT_FOUND.number()).setMessage("lookup: path=/a");
        };
    MetaConnection connection = connect(meta.address());
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> connection.call(getAttributes(1)));
    assertEquals(ErrorCode.NOT_FOUND, fault.code());
    assertEquals("NOT_FOUND: lookup: path=/a", fault.getMessage());
    assertEquals(1, asked.get());
  }

  @Test
  void repeatsWhatTheServerAsksToRepeat() throws Exception {
    FakeMeta meta = meta();
    AtomicInteger asked = new AtomicInteger();
    meta.answer =
        reply -> asked.incrementAndGet() < 3 ? reply.setCode(ErrorCode.OVERLOADED.number()) : reply;
    connect(meta.address()).call(getAttributes(1));
    assertEquals(3, asked.get());
  }

  @Test
  void refusesAnotherCluster() throws Exception {
    FakeMeta meta = meta();
    MetaOptions other =
        MetaOptions.of(List.of(meta.address())).withCluster(new ClusterId(CLUSTER + 1));
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> MetaConnection.connect(other));
    assertEquals(ErrorCode.WRONG_CLUSTER, fault.code());
    assertTrue(String.valueOf(fault.getMessage()).contains("expected=78"));
  }

  @Test
  void failsToConnectWhereNobodyListens() throws Exception {
    MetaOptions options =
        MetaOptions.of(List.of("127.0.0.1:" + unusedPort()))
            .withCallNanos(TimeUnit.MILLISECONDS.toNanos(200));
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> MetaConnection.connect(options));
    assertEquals(ErrorCode.CONNECTION_LOST, fault.code());
  }

  @Test
  void feedsEveryNewerRouting() throws Exception {
    FakeMeta meta = meta();
    meta.routing = update(1, 1);
    RoutingFeed feed = RoutingFeed.start(connect(meta.address()));
    open.add(feed);
    assertEquals(new RoutingVersion(1), feed.routing().version());
    await(() -> meta.watches.size() == 1);
    meta.publish(update(2, 2));
    Routing newer = feed.awaitNewerThan(new RoutingVersion(1), TimeUnit.SECONDS.toNanos(30));
    assertEquals(new ChainVersion(2), newer.chain(new ChainId(1)).orElseThrow().version());
    meta.publish(update(1, 1));
    assertEquals(
        new RoutingVersion(2),
        feed.awaitNewerThan(new RoutingVersion(2), TimeUnit.MILLISECONDS.toNanos(20)).version());
  }

  @Test
  void refreshesWhereTheWatchSaysNothing() throws Exception {
    FakeMeta meta = meta();
    meta.routing = update(1, 1);
    RoutingFeed feed = RoutingFeed.start(connect(meta.address()));
    open.add(feed);
    meta.routing = update(5, 4);
    feed.refresh();
    assertEquals(
        new RoutingVersion(5),
        feed.awaitNewerThan(new RoutingVersion(1), TimeUnit.SECONDS.toNanos(30)).version());
  }

  @Test
  void watchesAgainAfterTheStreamBroke() throws Exception {
    FakeMeta meta = meta();
    meta.routing = update(1, 1);
    RoutingFeed feed = RoutingFeed.start(connect(meta.address()));
    open.add(feed);
    await(() -> meta.watches.size() == 1);
    meta.watches.getFirst().onError(Status.UNAVAILABLE.asRuntimeException());
    meta.watches.removeFirst();
    await(() -> meta.watches.size() == 1);
    meta.publish(update(2, 2));
    assertEquals(
        new RoutingVersion(2),
        feed.awaitNewerThan(new RoutingVersion(1), TimeUnit.SECONDS.toNanos(30)).version());
  }

  @Test
  void codecKeepsEveryPartOfTheRouting() {
    RoutingDelta delta = delta(9, 3);
    assertEquals(delta, RoutingMessages.fromMessage(RoutingMessages.toMessage(delta)));
  }

  @Test
  void codecKeepsALayout() {
    FileLayout layout = new FileLayout(new ChainTableId(2), 3, 1 << 20, 4, 5, -6);
    assertEquals(layout, LayoutMessages.fromMessage(LayoutMessages.toMessage(layout)));
    Layout bad = LayoutMessages.toMessage(layout).toBuilder().setChunkBytes(3).build();
    assertThrows(LuciolaException.class, () -> LayoutMessages.fromMessage(bad));
  }

  @Test
  void codecRefusesWhatMakesNoRecord() {
    RoutingUpdate bad =
        RoutingUpdate.newBuilder().addChains(luciola.grpc.v1.Chain.newBuilder().setId(-1)).build();
    LuciolaException fault =
        assertThrows(LuciolaException.class, () -> RoutingMessages.fromMessage(bad));
    assertEquals(ErrorCode.INVALID_ARGUMENT, fault.code());
  }

  @Test
  void everyErrorSurvivesAsSomethingTheCallerHandlesAlike() {
    for (ErrorCode code : ErrorCode.values()) {
      ErrorCode back = StatusTable.code(StatusTable.status(code, "x"));
      assertEquals(code == ErrorCode.OK, back == ErrorCode.OK, code.name());
    }
    assertEquals(
        ErrorCode.TIMED_OUT, StatusTable.code(StatusTable.status(ErrorCode.TIMED_OUT, "x")));
  }

  @Test
  void readsAddresses() {
    assertEquals(new HostPort("::1", 7), HostPort.parse("[::1]:7"));
    assertEquals("[::1]:7", new HostPort("::1", 7).toString());
    assertEquals("a:1", HostPort.parse("a:1").toString());
    for (String bad : List.of("", "a", "a:", ":1", "a:b", "a:70000", "::1:7")) {
      assertThrows(LuciolaException.class, () -> HostPort.parse(bad), bad);
    }
  }

  private FakeMeta meta() throws IOException {
    FakeMeta meta = new FakeMeta(CLUSTER);
    open.add(meta);
    return meta;
  }

  private MetaConnection connect(String... addresses) {
    return connect(TimeUnit.SECONDS.toNanos(20), addresses);
  }

  /** One whose attempts take longer than any test may. */
  private MetaConnection patient(String... addresses) {
    return connect(TimeUnit.MINUTES.toNanos(10), addresses);
  }

  private MetaConnection connect(long attemptNanos, String... addresses) {
    MetaOptions options =
        new MetaOptions(
            List.of(addresses),
            new ClientId(5),
            Optional.empty(),
            2 * attemptNanos,
            attemptNanos,
            TimeUnit.MILLISECONDS.toNanos(1),
            TimeUnit.MILLISECONDS.toNanos(50),
            64,
            ClientAccess.NONE,
            false);
    MetaConnection connection = MetaConnection.connect(options);
    open.add(connection);
    return connection;
  }

  private static NamespaceRequest.Builder getAttributes(long inode) {
    return NamespaceRequest.newBuilder()
        .setGetAttributes(GetAttributes.newBuilder().setInode(inode));
  }

  private static RoutingUpdate update(int version, int chainVersion) {
    return RoutingMessages.toMessage(delta(version, chainVersion));
  }

  private static RoutingDelta delta(int version, int chainVersion) {
    return new RoutingDelta(
        new RoutingVersion(0),
        new RoutingVersion(version),
        true,
        List.of(
            new StorageNode(
                new NodeId(1),
                "10.0.0.1",
                4000,
                java.util.Map.of("zone", "a"),
                List.of(new TargetId(1), new TargetId(2)),
                99)),
        List.of(
            new Chain(
                new ChainId(1),
                new ChainVersion(chainVersion),
                List.of(
                    new ChainMember(new TargetId(2), PublicState.SERVING),
                    new ChainMember(new TargetId(1), PublicState.OFFLINE)))),
        List.of(new ChainTable(new ChainTableId(1), 1, List.of(new ChainId(1)))));
  }

  private static int unusedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - deadline < 0, "condition did not come true");
      Thread.onSpinWait();
    }
  }
}
