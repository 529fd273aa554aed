package luciola.protocol.connection;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Hello;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.id.ClusterId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ConnectionTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final Arena arena = Arena.ofShared();
  private EventLoops loops;
  private PatternServer server;

  @BeforeEach
  void start() throws IOException {
    loops = EventLoops.start("test");
    server = new PatternServer(loops, DataServerOptions.DEFAULTS);
  }

  @AfterEach
  void stop() {
    server.close();
    loops.close();
    arena.close();
  }

  private DataClient connect() {
    return connect(DataClientOptions.DEFAULTS);
  }

  private DataClient connect(DataClientOptions options) {
    return DataClient.connect(
            loops, options, "127.0.0.1", server.server.port(), PatternServer.hello())
        .join();
  }

  private CompletableFuture<ReadReply> read(
      DataClient client, ReadRequest request, List<MemorySegment> destinations, Duration timeout) {
    return client.call(
        request, ReadReply.class, List.of(), ReplyPayload.scatter(destinations), timeout);
  }

  static ErrorCode failureOf(CompletableFuture<?> future) {
    ExecutionException e =
        assertThrows(ExecutionException.class, () -> future.get(30, TimeUnit.SECONDS));
    return assertInstanceOf(LuciolaException.class, e.getCause()).code();
  }

  static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "condition did not come true");
      Thread.onSpinWait();
    }
  }

  private void assertHolds(MemorySegment destination, int chunk, int offset) {
    assertEquals(
        -1,
        destination.mismatch(server.bytes(chunk, offset, (int) destination.byteSize())),
        "chunk=" + chunk + " offset=" + offset);
  }

  @Test
  void readsLandInTheCallersMemoryWithoutACopy() {
    DataClient client = connect();
    MemorySegment destination = arena.allocate(4 << 20);
    for (int i = 0; i < 8; i++) {
      destination.fill((byte) 0);
      long copied = CopyCounter.copiedBytes();
      long delivered = CopyCounter.deliveredBytes();
      ReadReply reply =
          read(client, PatternServer.read(i, 4096 * i, 4 << 20), List.of(destination), LONG).join();
      assertEquals(copied, CopyCounter.copiedBytes());
      assertEquals(4 << 20, CopyCounter.deliveredBytes() - delivered);
      assertEquals(4 << 20, reply.results().getFirst().dataBytes());
      assertHolds(destination, i, 4096 * i);
      assertEquals(
          -1,
          Granules.firstMismatch(4096 * i, destination, reply.results().getFirst().checksums()));
    }
    await(() -> server.released.get() == 8);
  }

  @Test
  void tellsHowFarAPayloadHasCome() {
    DataClient client = connect();
    List<MemorySegment> destinations =
        List.of(arena.allocate(100), arena.allocate(3 << 20), arena.allocate(4096));
    ReplyPayload places = ReplyPayload.scatter(destinations);
    List<Integer> told = new ArrayList<>();
    var recording =
        new ReplyPayload() {
          @Override
          public List<MemorySegment> place(Reply reply, int payloadBytes) {
            return places.place(reply, payloadBytes);
          }

          @Override
          public void arrived(Reply reply, int bytes) {
            // What is told lies there already.
            int inSecond = Math.clamp(bytes - 100, 0, 3 << 20);
            assertHolds(destinations.get(1).asSlice(0, inSecond), 2, 12345);
            told.add(bytes);
          }
        };
    ReadRequest request = PatternServer.read(1, 7, 100, 2, 12345, 3 << 20, 3, 0, 4096);
    client.call(request, ReadReply.class, List.of(), recording, LONG).join();
    assertEquals(100 + (3 << 20) + 4096, told.getLast());
    for (int i = 1; i < told.size(); i++) {
      assertTrue(told.get(i) > told.get(i - 1), told.toString());
      assertTrue(told.get(i) - told.get(i - 1) <= 1 << 20, told.toString());
    }
  }

  @Test
  void filesAreSentBySendfile(@TempDir Path directory) throws IOException {
    Path path = directory.resolve("chunks");
    Files.write(path, server.pattern.toArray(ValueLayout.JAVA_BYTE));
    try (FileChannel file = FileChannel.open(path)) {
      server.file = file;
      DataClient client = connect();
      MemorySegment first = arena.allocate(1 << 20);
      MemorySegment second = arena.allocate(777);
      long copied = CopyCounter.copiedBytes();
      read(client, PatternServer.read(3, 12345, 1 << 20, 4, 99, 777), List.of(first, second), LONG)
          .join();
      assertHolds(first, 3, 12345);
      assertHolds(second, 4, 99);
      assertEquals(copied, CopyCounter.copiedBytes());
      assertTrue(file.isOpen());
    }
  }

  @Test
  void aBatchOfManyRangesIsScatteredWithoutACopy() throws Exception {
    scattersABatch(connect());
    try (EventLoops nio = EventLoops.startNio("nio", 1)) {
      scattersABatch(
          DataClient.connect(
                  nio,
                  DataClientOptions.DEFAULTS,
                  "127.0.0.1",
                  server.server.port(),
                  PatternServer.hello())
              .join());
    }
  }

  private void scattersABatch(DataClient client) {
    var random = new Random(3);
    int[] ranges = new int[3 * 2000];
    var destinations = new ArrayList<MemorySegment>();
    for (int i = 0; i < ranges.length; i += 3) {
      ranges[i] = random.nextInt(4096);
      ranges[i + 1] = random.nextInt(1 << 20);
      ranges[i + 2] = 1 + random.nextInt(i % 50 == 0 ? 200_000 : 5_000);
      destinations.add(arena.allocate(ranges[i + 2]));
    }
    long copied = CopyCounter.copiedBytes();
    for (int round = 0; round < 3; round++) {
      destinations.forEach(destination -> destination.fill((byte) 0));
      read(client, PatternServer.read(ranges), destinations, LONG).join();
      for (int i = 0; i < destinations.size(); i++) {
        assertHolds(destinations.get(i), ranges[3 * i], ranges[3 * i + 1]);
      }
    }
    assertEquals(copied, CopyCounter.copiedBytes());
  }

  @Test
  void aShortResultFillsOnlyTheFrontOfItsSegment() {
    DataClient client = connect();
    MemorySegment first = arena.allocate(10_000);
    MemorySegment second = arena.allocate(5_000);
    first.fill((byte) 7);
    int offset = PatternServer.CHUNK_BYTES - 3_000;
    ReadReply reply =
        read(
                client,
                PatternServer.read(1, offset, 10_000, 2, 0, 5_000),
                List.of(first, second),
                LONG)
            .join();
    assertEquals(3_000, reply.results().getFirst().dataBytes());
    assertHolds(first.asSlice(0, 3_000), 1, offset);
    assertHolds(second, 2, 0);
    for (long i = 3_000; i < 10_000; i++) {
      assertEquals(7, first.get(ValueLayout.JAVA_BYTE, i));
    }
  }

  @Test
  void updatesArriveAlignedAndWhole() {
    DataClient client = connect();
    for (int length : new int[] {1, 4095, 4096, 100_000, 4 << 20, 7_654_321}) {
      List<MemorySegment> whole = server.payload(5, 11, length);
      MemorySegment all = whole.getFirst();
      List<MemorySegment> halves =
          List.of(all.asSlice(0, length / 2), all.asSlice(length / 2, length - length / 2));
      UpdateReply reply =
          client
              .call(
                  PatternServer.update(5, 11, all),
                  UpdateReply.class,
                  halves,
                  ReplyPayload.NONE,
                  LONG)
              .join();
      assertEquals(ErrorCode.OK, reply.code());
    }
    assertEquals(server.pool.capacityBytes(), server.pool.freeBytes());
  }

  @Test
  void manyCallsOfMixedSizesFromManyThreads() throws Exception {
    try (var clients = new DataClients(loops, DataClientOptions.DEFAULTS, PatternServer.hello())) {
      manyCalls(clients);
    }
    assertEquals(server.pool.capacityBytes(), server.pool.freeBytes());
  }

  @Test
  void theSameOverJavaNio() throws Exception {
    try (EventLoops nio = EventLoops.startNio("nio", 2);
        PatternServer other = new PatternServer(nio, DataServerOptions.DEFAULTS);
        var clients = new DataClients(nio, DataClientOptions.DEFAULTS, PatternServer.hello())) {
      PatternServer epoll = server;
      server = other;
      try {
        manyCalls(clients);
      } finally {
        server = epoll;
      }
    }
  }

  private void manyCalls(DataClients clients) throws InterruptedException {
    var failures = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
    var threads = new ArrayList<Thread>();
    for (int t = 0; t < 8; t++) {
      int seed = t;
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try (Arena own = Arena.ofShared()) {
                  oneCallersCalls(clients, new Random(seed), own);
                } catch (Throwable e) {
                  failures.add(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), List.copyOf(failures));
  }

  private void oneCallersCalls(DataClients clients, Random random, Arena own) {
    int port = server.server.port();
    for (int round = 0; round < 25; round++) {
      var calls = new ArrayList<CompletableFuture<?>>();
      var checks = new ArrayList<Runnable>();
      for (int i = 0; i < 6; i++) {
        int length = 1 + random.nextInt(1 << (4 + random.nextInt(17)));
        int chunk = random.nextInt(4096);
        int offset = random.nextInt(PatternServer.CHUNK_BYTES - length);
        if (random.nextInt(3) == 0) {
          List<MemorySegment> payload = server.payload(chunk, offset, length);
          UpdateRequest update = PatternServer.update(chunk, offset, payload.getFirst());
          var reply =
              clients.call(
                  "127.0.0.1", port, update, UpdateReply.class, payload, ReplyPayload.NONE, LONG);
          calls.add(reply);
          checks.add(() -> assertEquals(ErrorCode.OK, reply.join().code()));
        } else {
          MemorySegment first = own.allocate(length);
          MemorySegment second = own.allocate(100);
          calls.add(
              clients.call(
                  "127.0.0.1",
                  port,
                  PatternServer.read(chunk, offset, length, 7, offset, 100),
                  ReadReply.class,
                  List.of(),
                  ReplyPayload.scatter(List.of(first, second)),
                  LONG));
          checks.add(() -> assertHolds(first, chunk, offset));
          checks.add(() -> assertHolds(second, 7, offset));
        }
      }
      calls.forEach(CompletableFuture::join);
      checks.forEach(Runnable::run);
    }
  }

  @Test
  void aCallTimesOutAndItsLateReplyTouchesNothing() {
    DataClient client = connect();
    server.hold = true;
    MemorySegment destination = arena.allocate(1 << 20);
    var call =
        read(
            client, PatternServer.read(1, 0, 1 << 20), List.of(destination), Duration.ofMillis(50));
    await(() -> server.held.size() == 1);
    assertEquals(ErrorCode.TIMED_OUT, failureOf(call));
    assertEquals(0, client.callsInFlight());

    server.hold = false;
    server.answer(server.held.remove());
    MemorySegment next = arena.allocate(1 << 20);
    read(client, PatternServer.read(2, 5, 1 << 20), List.of(next), LONG).join();
    assertHolds(next, 2, 5); // the late reply was before it on the connection
    assertArrayEquals(new byte[1 << 20], destination.toArray(ValueLayout.JAVA_BYTE));
    assertTrue(client.isOpen());
  }

  @Test
  void callsFailWhenTheServerGoes() {
    DataClient client = connect();
    server.hold = true;
    MemorySegment destination = arena.allocate(100);
    var call = read(client, PatternServer.read(1, 0, 100), List.of(destination), LONG);
    await(() -> server.held.size() == 1);
    server.server.close(Duration.ZERO);
    assertEquals(ErrorCode.CONNECTION_LOST, failureOf(call));
    client.closed().join();
    assertFalse(client.isOpen());
    assertEquals(
        ErrorCode.CONNECTION_LOST,
        failureOf(read(client, PatternServer.read(1, 0, 100), List.of(destination), LONG)));
    server.answer(server.held.remove());
    await(() -> server.released.get() == 1);
  }

  @Test
  void callsFailWhenTheClientCloses() {
    DataClient client = connect();
    server.hold = true;
    var call = read(client, PatternServer.read(1, 0, 100), List.of(arena.allocate(100)), LONG);
    await(() -> server.held.size() == 1);
    client.close();
    assertEquals(ErrorCode.CONNECTION_LOST, failureOf(call));
    await(() -> server.server.connections() == 0);
    assertFalse(server.held.peek().isOpen());
    server.answer(server.held.remove());
    await(() -> server.released.get() == 1);
  }

  @Test
  void closingGracefullyLetsCallsInFlightBeAnswered() throws Exception {
    DataClient client = connect();
    server.hold = true;
    MemorySegment destination = arena.allocate(1 << 20);
    var call = read(client, PatternServer.read(1, 0, 1 << 20), List.of(destination), LONG);
    await(() -> server.held.size() == 1);
    Thread closing = Thread.ofVirtual().start(() -> server.server.close(LONG));
    await(() -> cannotConnect());
    server.answer(server.held.remove());
    call.join();
    assertHolds(destination, 1, 0);
    closing.join();
    client.closed().join();
  }

  private boolean cannotConnect() {
    try {
      connect().close();
      return false;
    } catch (CompletionException _) {
      return true;
    }
  }

  @Test
  void refusesAnotherCluster() {
    var stranger = new Hello(new ClusterId(1), Hello.PROTOCOL_VERSION, 1);
    assertEquals(
        ErrorCode.WRONG_CLUSTER,
        failureOf(
            DataClient.connect(
                loops, DataClientOptions.DEFAULTS, "127.0.0.1", server.server.port(), stranger)));
    await(() -> server.server.connections() == 0);
  }

  @Test
  void saysWhoAnswered() {
    assertEquals(5, connect().peer().node());
    assertEquals(6, connect().peer().incarnation());
  }

  @Test
  void boundsTheCallsInFlight() {
    var few = new DataClientOptions(LONG, 2, 1, Duration.ofMillis(1), LONG, 0);
    DataClient client = connect(few);
    server.hold = true;
    var first = read(client, PatternServer.read(1, 0, 9), List.of(arena.allocate(9)), LONG);
    var second = read(client, PatternServer.read(1, 0, 9), List.of(arena.allocate(9)), LONG);
    assertEquals(
        ErrorCode.OVERLOADED,
        failureOf(read(client, PatternServer.read(1, 0, 9), List.of(arena.allocate(9)), LONG)));
    await(() -> server.held.size() == 2);
    server.answer(server.held.remove());
    server.answer(server.held.remove());
    first.join();
    second.join();
  }

  @Test
  void refusesWhatDoesNotFit() {
    DataClient client = connect();
    UpdateRequest update = PatternServer.update(1, 0, server.bytes(1, 0, 100));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            client.call(
                update, UpdateReply.class, server.payload(1, 0, 99), ReplyPayload.NONE, LONG));
    assertThrows(
        IllegalArgumentException.class, () -> client.call(update, UpdateReply.class, LONG));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            client.call(
                update, ReadReply.class, server.payload(1, 0, 100), ReplyPayload.NONE, LONG));
    assertEquals(0, client.callsInFlight());
  }

  @Test
  void anUpdateWaitsForMemoryAndGoesOn() {
    DataClient client = connect();
    PayloadBuffer all = server.pool.tryAcquire(PayloadPool.BLOCK_BYTES_MAX).orElseThrow();
    var waiting =
        client.call(
            PatternServer.update(1, 0, server.bytes(1, 0, 1 << 20)),
            UpdateReply.class,
            server.payload(1, 0, 1 << 20),
            ReplyPayload.NONE,
            LONG);
    // Another connection is not held up by it.
    MemorySegment destination = arena.allocate(100);
    read(connect(), PatternServer.read(1, 0, 100), List.of(destination), LONG).join();
    assertFalse(waiting.isDone());
    all.release();
    assertEquals(ErrorCode.OK, waiting.join().code());
  }

  @Test
  void anUpdateThatFindsNoMemoryInTimeIsRefused() throws IOException {
    server.close();
    server =
        new PatternServer(
            loops, new DataServerOptions(64, 1 << 20, Duration.ofMillis(30), 60, LONG, 0));
    DataClient client = connect();
    PayloadBuffer all = server.pool.tryAcquire(PayloadPool.BLOCK_BYTES_MAX).orElseThrow();
    UpdateReply reply =
        client
            .call(
                PatternServer.update(1, 0, server.bytes(1, 0, 1 << 20)),
                UpdateReply.class,
                server.payload(1, 0, 1 << 20),
                ReplyPayload.NONE,
                LONG)
            .join();
    assertEquals(ErrorCode.OVERLOADED, reply.code());
    assertEquals(0, server.handled.get());
    MemorySegment destination = arena.allocate(1 << 20);
    read(client, PatternServer.read(1, 3, 1 << 20), List.of(destination), LONG).join();
    assertHolds(destination, 1, 3);
    all.release();
  }

  @Test
  void updatesGoOnThroughATinyPool() {
    DataClient client = connect();
    PayloadBuffer most = server.pool.tryAcquire(PayloadPool.BLOCK_BYTES_MAX / 4).orElseThrow();
    int length = 3 << 20; // takes 4 MiB: 60 % of 64 MiB less 16 MiB leave room for five
    var calls = new ArrayList<CompletableFuture<UpdateReply>>();
    for (int i = 0; i < 40; i++) {
      calls.add(
          client.call(
              PatternServer.update(i, 0, server.bytes(i, 0, length)),
              UpdateReply.class,
              server.payload(i, 0, length),
              ReplyPayload.NONE,
              LONG));
    }
    for (var call : calls) {
      assertEquals(ErrorCode.OK, call.join().code());
    }
    most.release();
  }

  @Test
  void aSlowReaderHoldsBoundedMemoryAndGetsEverything() throws IOException {
    server.close();
    server =
        new PatternServer(loops, new DataServerOptions(1000, 4 << 20, LONG, 60, LONG, 64 << 10));
    int bytes = 1 << 20;
    try (var peer = new RawPeer(server.server.port())) {
      peer.send(1, PatternServer.hello());
      assertInstanceOf(HelloReply.class, peer.receive());
      for (int i = 0; i < 100; i++) {
        peer.send(2 + i, PatternServer.read(i, i, bytes));
      }
      await(() -> server.handled.get() >= 5);
      await(this::settled);
      assertTrue(server.handled.get() < 50, "handled=" + server.handled.get());
      for (int i = 0; i < 100; i++) {
        assertInstanceOf(ReadReply.class, peer.receive());
        assertHolds(MemorySegment.ofArray(peer.payload()), i, i);
      }
    }
    await(() -> server.released.get() == 100);
  }

  /** Whether the server has handled nothing for a while. */
  private boolean settled() {
    int before = server.handled.get();
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(200);
    while (System.nanoTime() < until) {
      Thread.onSpinWait();
    }
    return server.handled.get() == before;
  }

  @Test
  void connectionsAreMadeAgainAfterTheServerCameBack() throws IOException {
    try (var clients =
        new DataClients(
            loops,
            new DataClientOptions(LONG, 10, 2, Duration.ofMillis(1), Duration.ofMillis(10), 0),
            PatternServer.hello())) {
      int port = server.server.port();
      MemorySegment destination = arena.allocate(100);
      var scatter = ReplyPayload.scatter(List.of(destination));
      var request = PatternServer.read(1, 0, 100);
      clients.call("127.0.0.1", port, request, ReadReply.class, List.of(), scatter, LONG).join();
      server.server.close(Duration.ZERO);
      var down =
          clients.call("127.0.0.1", port, request, ReadReply.class, List.of(), scatter, LONG);
      assertEquals(ErrorCode.CONNECTION_LOST, failureOf(down));
      try (PayloadPool pool = new PayloadPool(PayloadPool.BLOCK_BYTES_MAX);
          DataServer again =
              DataServer.bind(
                  loops,
                  DataServerOptions.DEFAULTS,
                  "127.0.0.1",
                  port,
                  pool,
                  HelloVerifier.ofCluster(PatternServer.CLUSTER, 5, 7),
                  call -> server.answer(call))) {
        assertEquals(port, again.port());
        await(() ->
            clients
                .call("127.0.0.1", port, request, ReadReply.class, List.of(), scatter, LONG)
                .handle((reply, failure) -> failure == null)
                .join());
        assertEquals(7, clients.client("127.0.0.1", port).join().peer().incarnation());
      }
    }
  }

  @Test
  void aPortThatIsTakenIsNamed() {
    int taken = server.server.port();
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                DataServer.bind(
                        loops,
                        DataServerOptions.DEFAULTS,
                        "127.0.0.1",
                        taken,
                        server.pool,
                        HelloVerifier.ofCluster(PatternServer.CLUSTER, 5, 6),
                        server::answer)
                    .close());
    assertTrue(e.toString().contains(":" + taken), e::toString);
    assertTrue(e.toString().contains("in use"), e::toString);
  }

  @Test
  void aHandlerThatThrowsAnswersInternal() throws IOException {
    try (PayloadPool pool = new PayloadPool(PayloadPool.BLOCK_BYTES_MAX);
        DataServer broken =
            DataServer.bind(
                loops,
                DataServerOptions.DEFAULTS,
                "127.0.0.1",
                0,
                pool,
                HelloVerifier.ofCluster(PatternServer.CLUSTER, 5, 7),
                call -> {
                  throw new IllegalStateException("told to: " + call.caller());
                })) {
      DataClient client =
          DataClient.connect(
                  loops,
                  DataClientOptions.DEFAULTS,
                  "127.0.0.1",
                  broken.port(),
                  PatternServer.hello())
              .join();
      UpdateRequest update = PatternServer.update(1, 0, server.bytes(1, 0, 100));
      UpdateReply reply =
          client
              .call(update, UpdateReply.class, server.payload(1, 0, 100), ReplyPayload.NONE, LONG)
              .join();
      assertEquals(ErrorCode.INTERNAL, reply.code());
      assertEquals(100, ((Update.Write) update.update()).length());
      assertEquals(pool.capacityBytes(), pool.freeBytes());
    }
  }
}
