package luciola.protocol.connection;

import static luciola.protocol.connection.ConnectionTest.await;
import static luciola.protocol.connection.ConnectionTest.failureOf;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.HelloReply;
import luciola.protocol.frame.ReadReply;
import luciola.protocol.frame.SyncReply;
import luciola.protocol.id.ChunkVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What both ends do with a peer that does not keep to the protocol. */
@Timeout(60)
class MalformedFrameTest {
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

  private RawPeer greeted() throws IOException {
    var peer = new RawPeer(server.server.port());
    peer.send(1, PatternServer.hello());
    assertInstanceOf(HelloReply.class, peer.receive());
    return peer;
  }

  /** The server is well after all that. */
  private void assertServes() throws IOException {
    try (RawPeer peer = greeted()) {
      peer.send(2, PatternServer.read(1, 0, 1000));
      assertInstanceOf(ReadReply.class, peer.receive());
    }
    await(() -> server.server.connections() == 0);
    assertEquals(server.pool.capacityBytes(), server.pool.freeBytes());
  }

  @Test
  void theServerClosesOnGarbage() throws IOException {
    var random = new Random(5);
    for (int round = 0; round < 20; round++) {
      byte[] garbage = new byte[1 + random.nextInt(5000)];
      random.nextBytes(garbage);
      try (RawPeer peer = round % 2 == 0 ? greeted() : new RawPeer(server.server.port())) {
        peer.send(garbage.length < 32 ? new byte[32] : garbage);
        assertTrue(peer.seesTheEnd());
      }
    }
    assertEquals(0, server.handled.get());
    assertServes();
  }

  @Test
  void theServerClosesOnAFlippedBit() throws IOException {
    byte[] good = RawPeer.bytes(2, PatternServer.read(1, 0, 1000));
    var random = new Random(6);
    for (int round = 0; round < 30; round++) {
      byte[] flipped = good.clone();
      flipped[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
      try (RawPeer peer = greeted()) {
        peer.send(flipped);
        assertTrue(peer.seesTheEnd());
      }
    }
    assertEquals(0, server.handled.get());
    assertServes();
  }

  @Test
  void theServerWantsAHelloFirstAndOnce() throws IOException {
    try (var peer = new RawPeer(server.server.port())) {
      peer.send(1, PatternServer.read(1, 0, 1000));
      assertTrue(peer.seesTheEnd());
    }
    try (RawPeer peer = greeted()) {
      peer.send(2, PatternServer.hello());
      assertTrue(peer.seesTheEnd());
    }
    try (RawPeer peer = greeted()) {
      peer.send(2, new SyncReply(ErrorCode.OK, 1));
      assertTrue(peer.seesTheEnd());
    }
    assertEquals(0, server.handled.get());
    assertServes();
  }

  @Test
  void aConnectionThatSaysNothingIsClosed() throws IOException {
    server.close();
    server =
        new PatternServer(
            loops, new DataServerOptions(10, 1 << 20, LONG, 60, Duration.ofMillis(50), 0));
    try (var peer = new RawPeer(server.server.port())) {
      assertTrue(peer.seesTheEnd());
    }
    assertServes();
  }

  @Test
  void framesMayComeInPiecesOfAnySize() throws IOException {
    MemorySegment data = server.bytes(3, 17, 100_000);
    byte[] head = RawPeer.bytes(2, PatternServer.update(3, 17, data));
    byte[] payload = data.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    byte[] all = Arrays.copyOf(head, head.length + payload.length);
    System.arraycopy(payload, 0, all, head.length, payload.length);
    var random = new Random(7);
    try (RawPeer peer = greeted()) {
      for (int round = 0; round < 5; round++) {
        for (int at = 0; at < all.length; ) {
          int part = Math.min(all.length - at, 1 + random.nextInt(at < 300 ? 5 : 20_000));
          peer.send(Arrays.copyOfRange(all, at, at + part));
          at += part;
        }
        var reply = assertInstanceOf(luciola.protocol.frame.UpdateReply.class, peer.receive());
        assertEquals(ErrorCode.OK, reply.code());
      }
    }
    assertServes();
  }

  @Test
  void aPeerThatGoesInTheMiddleLeavesNothingBehind() throws IOException {
    MemorySegment data = server.bytes(3, 0, 1 << 20);
    byte[] head = RawPeer.bytes(2, PatternServer.update(3, 0, data));
    for (int cut : new int[] {1, 31, 32, 40, head.length - 1, head.length}) {
      try (RawPeer peer = greeted()) {
        peer.send(Arrays.copyOf(head, cut));
      }
    }
    try (RawPeer peer = greeted()) {
      peer.send(head);
      peer.send(new byte[500_000]);
      await(() -> server.pool.freeBytes() < server.pool.capacityBytes());
    }
    await(() -> server.server.connections() == 0);
    assertEquals(0, server.handled.get());
    assertServes();
  }

  /** A client whose server is a plain socket; {@code script} runs once it has said Hello. */
  private CompletableFuture<ReadReply> readFrom(Script script, MemorySegment destination)
      throws IOException {
    var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread.startVirtualThread(() -> {
      try (listener;
          var peer = new RawPeer(listener.accept())) {
        peer.receive();
        peer.send(1, new HelloReply(ErrorCode.OK, 1, 1));
        peer.receive();
        script.run(peer);
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    });
    DataClient client =
        DataClient.connect(
                loops,
                DataClientOptions.DEFAULTS,
                "127.0.0.1",
                listener.getLocalPort(),
                PatternServer.hello())
            .join();
    return client.call(
        PatternServer.read(1, 0, (int) destination.byteSize()),
        ReadReply.class,
        List.of(),
        ReplyPayload.scatter(List.of(destination)),
        LONG);
  }

  private interface Script {
    void run(RawPeer peer) throws IOException;
  }

  private static ReadReply reply(int dataBytes) {
    return new ReadReply(
        ErrorCode.OK,
        List.of(
            new ReadReply.Result(
                ErrorCode.OK,
                new ChunkVersion(1),
                dataBytes,
                dataBytes,
                new int[Granules.count(0, dataBytes)])));
  }

  @Test
  void theClientFailsOnGarbage() throws IOException {
    MemorySegment destination = arena.allocate(1000);
    assertEquals(
        ErrorCode.MALFORMED_FRAME,
        failureOf(
            readFrom(
                peer -> {
                  peer.send(new byte[100]);
                  peer.seesTheEnd();
                },
                destination)));
  }

  @Test
  void theClientFailsOnAReplyOfAnotherKind() throws IOException {
    assertEquals(
        ErrorCode.MALFORMED_FRAME,
        failureOf(
            readFrom(
                peer -> {
                  peer.send(2, new SyncReply(ErrorCode.OK, 1));
                  peer.seesTheEnd();
                },
                arena.allocate(1000))));
  }

  @Test
  void theClientFailsOnAReplyToNothing() throws IOException {
    assertEquals(
        ErrorCode.MALFORMED_FRAME,
        failureOf(
            readFrom(
                peer -> {
                  peer.send(3, new SyncReply(ErrorCode.OK, 1));
                  peer.seesTheEnd();
                },
                arena.allocate(1000))));
  }

  @Test
  void theClientTakesNoMoreThanItAskedFor() throws IOException {
    MemorySegment memory = arena.allocate(2000);
    assertEquals(
        ErrorCode.MALFORMED_FRAME,
        failureOf(
            readFrom(
                peer -> {
                  peer.send(2, reply(1500));
                  peer.send(new byte[1500]);
                  peer.seesTheEnd();
                },
                memory.asSlice(0, 1000))));
  }

  @Test
  void theClientFailsWhenTheServerGoesInTheMiddleOfAPayload() throws IOException {
    assertEquals(
        ErrorCode.CONNECTION_LOST,
        failureOf(
            readFrom(
                peer -> {
                  peer.send(2, reply(100_000));
                  peer.send(new byte[50_000]);
                },
                arena.allocate(100_000))));
  }

  @Test
  void aTimeOutInTheMiddleOfAPayloadLeavesTheRestOfTheMemoryAlone() throws Exception {
    MemorySegment destination = arena.allocate(100_000);
    var timedOut = new CompletableFuture<Void>();
    var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread.startVirtualThread(() -> {
      try (listener;
          var peer = new RawPeer(listener.accept())) {
        peer.receive();
        peer.send(1, new HelloReply(ErrorCode.OK, 1, 1));
        peer.receive();
        byte[] ones = new byte[50_000];
        Arrays.fill(ones, (byte) 1);
        peer.send(2, reply(100_000));
        peer.send(ones);
        timedOut.join();
        peer.send(ones);
        peer.receive();
        peer.send(3, reply(10));
        peer.send(new byte[] {5, 5, 5, 5, 5, 5, 5, 5, 5, 5});
        peer.seesTheEnd();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    });
    try (DataClient client =
        DataClient.connect(
                loops,
                DataClientOptions.DEFAULTS,
                "127.0.0.1",
                listener.getLocalPort(),
                PatternServer.hello())
            .get()) {
      var late =
          client.call(
              PatternServer.read(1, 0, 100_000),
              ReadReply.class,
              List.of(),
              ReplyPayload.scatter(List.of(destination)),
              Duration.ofMillis(300));
      assertEquals(ErrorCode.TIMED_OUT, failureOf(late));
      destination.fill((byte) 9);
      timedOut.complete(null);
      MemorySegment next = arena.allocate(10);
      client
          .call(
              PatternServer.read(1, 0, 10),
              ReadReply.class,
              List.of(),
              ReplyPayload.scatter(List.of(next)),
              LONG)
          .join();
      assertEquals(5, next.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 9));
      for (long i = 0; i < destination.byteSize(); i++) {
        assertEquals(9, destination.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i));
      }
    }
  }
}
