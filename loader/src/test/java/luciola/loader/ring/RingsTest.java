package luciola.loader.ring;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rings through a live agent over a file system in memory. */
@Timeout(120)
class RingsTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int EBADF = -9;
  private static final int EINVAL = -22;
  private static final int EOPNOTSUPP = -95;

  @TempDir Path directory;
  private final LuciolaFileSystem files = new MemoryFileSystem();
  private LoaderAgent agent;

  @BeforeEach
  void start() {
    agent = LoaderAgent.start(configuration("agent.sock"), files);
    try (WritableFile file = files.openWrite("/hello", OpenOptions.CREATE)) {
      file.write(0, bytes("hello, ring"));
    }
  }

  @AfterEach
  void stop() {
    agent.close();
    files.close();
  }

  private AgentConfiguration configuration(String socket) {
    AgentConfiguration usual = AgentConfiguration.of(directory.resolve(socket));
    return new AgentConfiguration(
        usual.socket(),
        directory,
        usual.regionBytesMax(),
        usual.slotBytesMax(),
        usual.slotsMax(),
        usual.connectionsMax(),
        usual.requestsMax(),
        new RingConfiguration(64, 1 << 20, 3, 8, 0));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(RingClient ring, long place, long length) {
    return new String(
        ring.data().asSlice(place, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private static void fill(RingClient ring, long place, String text) {
    MemorySegment.copy(
        MemorySegment.ofArray(bytes(text)), 0, ring.data(), place, bytes(text).length);
  }

  private RingClient open() throws InterruptedException {
    return RingClient.open(agent.socket(), 8, 1 << 20);
  }

  /** Results by the owner's numbers. */
  private static Map<Long, Long> results(RingClient ring, Submission... submissions) {
    for (Submission each : submissions) {
      assertTrue(ring.put(each));
    }
    ring.submit();
    assertEquals(submissions.length, ring.await(submissions.length, LONG));
    Map<Long, Long> results = new HashMap<>();
    for (int i = 0; i < submissions.length; i++) {
      Completion completion = ring.take().orElseThrow();
      results.put(completion.own(), completion.result());
    }
    assertEquals(submissions.length, results.size());
    return results;
  }

  private static long result(RingClient ring, Submission submission) {
    Map<Long, Long> results = results(ring, submission);
    return results.getOrDefault(submission.own(), Long.MIN_VALUE);
  }

  private static void eventually(String what, BooleanSupplier holds) {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!holds.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "not in time: " + what);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static ErrorCode refused(org.junit.jupiter.api.function.Executable call) {
    return assertThrows(LuciolaException.class, call).code();
  }

  @Test
  void readsAreShortAtTheEndAndSeeWhatOthersAppend() throws Exception {
    try (RingClient ring = open()) {
      RingServer.Opened file = ring.openRead("/hello");
      assertEquals(11, file.length());
      assertEquals(
          Map.of(1L, 11L, 2L, 4L, 3L, 0L, 4L, 0L, 5L, 0L),
          results(
              ring,
              Submission.read(file.file(), 0, 0, 100, 1),
              Submission.read(file.file(), 7, 200, 100, 2),
              Submission.read(file.file(), 11, 300, 100, 3),
              Submission.read(file.file(), 1L << 40, 300, 100, 4),
              Submission.read(file.file(), 3, 300, 0, 5)));
      assertEquals("hello, ring", text(ring, 0, 11));
      assertEquals("ring", text(ring, 200, 4));
      try (WritableFile more = files.openWrite("/hello", OpenOptions.EXISTING)) {
        more.write(11, bytes(" again"));
      }
      assertEquals(17, result(ring, Submission.read(file.file(), 0, 0, 100, 6)));
      assertEquals("hello, ring again", text(ring, 0, 17));
    }
  }

  @Test
  void oneRingWritesSyncsAndReadsItsOwnWrites() throws Exception {
    try (RingClient ring = open()) {
      int file = ring.openWrite("/new", OpenOptions.CREATE_NEW).file();
      fill(ring, 0, "0123456789");
      assertEquals(
          Map.of(1L, 6L, 2L, 4L),
          results(ring, Submission.write(file, 0, 0, 6, 1), Submission.write(file, 6, 6, 4, 2)));
      assertEquals(10, result(ring, Submission.read(file, 0, 100, 50, 3)));
      assertEquals("0123456789", text(ring, 100, 10));
      fill(ring, 0, "ab");
      assertEquals(
          Map.of(1L, 2L, 2L, 0L, 3L, 2L, 4L, 0L),
          results(
              ring,
              Submission.write(file, 2, 0, 2, 1),
              Submission.sync(file, 2),
              Submission.write(file, 20, 0, 2, 3),
              Submission.sync(file, 4)));
      ring.closeFile(file);
      assertEquals(EBADF, result(ring, Submission.read(file, 0, 0, 1, 5)));
      int again = ring.openRead("/new").file();
      assertTrue(again != file, "a number is used once");
      assertEquals(22, result(ring, Submission.read(again, 0, 200, 50, 6)));
      assertEquals("01ab456789" + "\0".repeat(10) + "ab", text(ring, 200, 22));
      assertEquals(ErrorCode.EXISTS, refused(() -> ring.openWrite("/new", OpenOptions.CREATE_NEW)));
    }
  }

  @Test
  void aBadEntryIsAnsweredWithAnErrorAndChangesNothing() throws Exception {
    try (RingClient ring = open()) {
      int reading = ring.openRead("/hello").file();
      long end = ring.data().byteSize();
      assertEquals(
          Map.of(
              1L,
              (long) EBADF,
              2L,
              (long) EINVAL,
              3L,
              (long) EINVAL,
              4L,
              (long) EBADF,
              5L,
              (long) EBADF,
              6L,
              (long) EOPNOTSUPP,
              7L,
              (long) EINVAL,
              8L,
              5L),
          results(
              ring,
              Submission.read(reading + 1, 0, 0, 5, 1),
              Submission.read(reading, 0, end - 4, 5, 2),
              Submission.read(reading, 0, -4, 5, 3),
              Submission.write(reading, 0, 0, 5, 4),
              Submission.sync(reading, 5),
              new Submission(77, reading, 0, 0, 5, 6, 0),
              Submission.read(reading, 0, 0, (1 << 20) + 1, 7),
              Submission.read(reading, 0, end - 5, 5, 8)));
      assertEquals("hello", text(ring, end - 5, 5));
      assertEquals(0, ring.data().get(JAVA_BYTE, 0));
    }
  }

  @Test
  void limitsAreTold() throws Exception {
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, refused(() -> RingClient.open(agent.socket(), 128, 4096)));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, refused(() -> RingClient.open(agent.socket(), 3, 4096)));
    assertEquals(
        ErrorCode.INVALID_ARGUMENT, refused(() -> RingClient.open(agent.socket(), 8, 100)));
    assertEquals(ErrorCode.OVERLOADED, refused(() -> RingClient.open(agent.socket(), 8, 1L << 40)));
    assertEquals(
        ErrorCode.CONNECTION_LOST,
        refused(() -> RingClient.open(directory.resolve("none.sock"), 8, 4096)));
    try (RingClient ring = open()) {
      int first = ring.openRead("/hello").file();
      var _ = ring.openRead("/hello");
      var _ = ring.openRead("/hello");
      assertEquals(ErrorCode.OVERLOADED, refused(() -> ring.openRead("/hello")));
      ring.closeFile(first);
      assertEquals(ErrorCode.NOT_FOUND, refused(() -> ring.openRead("/nothing")));
      var _ = ring.openRead("/hello");
      assertEquals(ErrorCode.BAD_SESSION, refused(() -> ring.closeFile(first)));
    }
    eventually("the memory is back", () -> agent.regionBytes() == 0);
  }

  @Test
  void anotherVersionAndRequestsOutOfTurnAreRefused() throws Exception {
    try (AgentSocket socket = AgentSocket.connect(agent.socket())) {
      assertEquals("UNSUPPORTED", code(socket, ring(4096).put("layout", 2)));
      assertEquals("UNSUPPORTED", code(socket, ring(4096).put("protocol", 2)));
      assertEquals(
          "INVALID_ARGUMENT",
          code(socket, AgentMessage.json().put("op", "open-file").put("id", 1).put("path", "/a")));
      assertEquals("", code(socket, ring(4096)));
      assertEquals(
          "INVALID_ARGUMENT",
          code(socket, AgentMessage.json().put("op", "open-file").put("id", 1).put("path", "/a")));
      assertEquals("INVALID_ARGUMENT", code(socket, ring(4096)));
    }
    eventually("the memory is back", () -> agent.regionBytes() == 0);
    assertNothingIsLeft();
  }

  private void assertNothingIsLeft() throws IOException {
    try (var left = Files.list(directory)) {
      assertEquals(
          List.of(),
          left.map(Path::getFileName)
              .map(Path::toString)
              .filter(n -> !n.endsWith("sock"))
              .toList());
    }
  }

  private static ObjectNode ring(long dataBytes) {
    ObjectNode request = AgentMessage.json().put("op", "ring").put("id", 1).put("protocol", 1);
    return request.put("layout", 1).put("entries", 8).put("dataBytes", dataBytes);
  }

  private static ObjectNode answer(AgentSocket socket, ObjectNode request) throws Exception {
    socket.send(new AgentMessage.Control(request));
    return ((AgentMessage.Control) socket.receive().orElseThrow()).body();
  }

  private static String code(AgentSocket socket, ObjectNode request) throws Exception {
    return answer(socket, request).path("error").path("code").asText();
  }

  @Test
  void anOwnerWithImpossibleCountersIsEndedAndOthersGoOn() throws Exception {
    try (RingClient other = open()) {
      int file = other.openRead("/hello").file();
      for (int[] wrong : new int[][] {{128, 9}, {128, -1}, {512, 1}, {512, -100}}) {
        try (AgentSocket socket = AgentSocket.connect(agent.socket())) {
          ObjectNode reply = answer(socket, ring(4096));
          SharedRegion region =
              SharedRegion.open(
                  Path.of(reply.path("region").asText()), reply.path("regionBytes").asLong());
          Path submitPipe = Path.of(reply.path("submitPipe").asText());
          Path completePipe = Path.of(reply.path("completePipe").asText());
          try (WakePipe agentWakes = WakePipe.open(submitPipe);
              RingOwner owner = RingOwner.of(region.memory(), submitPipe, completePipe)) {
            socket.send(new AgentMessage.Control(AgentMessage.json().put("op", "mapped")));
            // A submission and, in the same moment, counters that no owner could have.
            assertTrue(owner.put(Submission.read(1, 0, 0, 1, 1)));
            int first = region.memory().get(JAVA_INT, wrong[0]);
            region.memory().set(JAVA_INT, wrong[0], first + wrong[1]);
            if (wrong[0] != 128) {
              owner.submit();
            } else {
              agentWakes.wake();
            }
            ObjectNode event = ((AgentMessage.Control) socket.receive().orElseThrow()).body();
            assertEquals("error", event.path("event").asText());
            assertEquals("MALFORMED_FRAME", event.path("error").path("code").asText());
            assertTrue(event.path("error").path("message").asText().contains("counters"));
            assertTrue(socket.receive().isEmpty());
          } finally {
            region.close();
          }
        }
        assertEquals(5, result(other, Submission.read(file, 0, 0, 5, 1)));
      }
    }
    eventually("the memory is back", () -> agent.regionBytes() == 0);
    assertNothingIsLeft();
  }

  @Test
  void whatWasAcknowledgedIsWrittenWhenTheOwnerGoes() throws Exception {
    try (RingClient ring = open()) {
      int file = ring.openWrite("/left", OpenOptions.CREATE).file();
      fill(ring, 0, "not synced");
      assertEquals(10, result(ring, Submission.write(file, 0, 0, 10, 1)));
    }
    eventually("the memory is back", () -> agent.regionBytes() == 0 && agent.trainers() == 0);
    assertEquals(10, files.stat("/left").length());
    assertNothingIsLeft();
  }

  @Test
  void anAgentThatEndsWakesAnOwnerThatWaits() throws Exception {
    CompletableFuture<Void> never = new CompletableFuture<>();
    LoaderAgent slow = LoaderAgent.start(configuration("slow.sock"), reading(_ -> List.of(never)));
    try (RingClient ring = RingClient.open(slow.socket(), 8, 4096)) {
      int file = ring.openRead("/hello").file();
      assertTrue(ring.put(Submission.read(file, 0, 0, 5, 1)));
      ring.submit();
      CompletableFuture<Void> closing = CompletableFuture.runAsync(slow::close);
      assertEquals(ErrorCode.CONNECTION_LOST, refused(() -> ring.await(1, LONG)));
      assertEquals(ErrorCode.CONNECTION_LOST, refused(() -> ring.openRead("/hello")));
      assertFalse(closing.isDone(), "the read is still under way");
      never.complete(null);
      closing.get(60, TimeUnit.SECONDS);
    }
    assertNothingIsLeft();
  }

  private interface Reads {
    List<CompletableFuture<Void>> each(List<ReadRange> ranges);
  }

  /** The files with other reads of many ranges. */
  @SuppressWarnings("unchecked")
  private LuciolaFileSystem reading(Reads reads) {
    return (LuciolaFileSystem)
        Proxy.newProxyInstance(
            LuciolaFileSystem.class.getClassLoader(),
            new Class<?>[] {LuciolaFileSystem.class},
            (_, method, arguments) -> {
              if (method.getName().equals("readEach")) {
                return reads.each((List<ReadRange>) arguments[0]);
              }
              try {
                return method.invoke(files, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Test
  @SuppressWarnings("try") // closed early, on purpose
  void whatIsInTheRingTravelsTogetherAndNobodyWaitsForTheSlowest() throws Exception {
    LinkedBlockingQueue<List<CompletableFuture<Void>>> batches = new LinkedBlockingQueue<>();
    Reads gated =
        ranges -> {
          List<CompletableFuture<Void>> outcomes = new ArrayList<>();
          ranges.forEach(_ -> outcomes.add(new CompletableFuture<>()));
          batches.add(outcomes);
          return outcomes;
        };
    try (LoaderAgent slow = LoaderAgent.start(configuration("slow.sock"), reading(gated));
        RingClient ring = RingClient.open(slow.socket(), 8, 4096)) {
      int file = ring.openRead("/hello").file();
      for (int i = 0; i < 5; i++) {
        assertTrue(ring.put(Submission.read(file, i, 100L * i, 1, i)));
      }
      ring.submit();
      List<CompletableFuture<Void>> batch = batches.poll(60, TimeUnit.SECONDS);
      assertEquals(5, batch.size(), "all that was there at once");
      batch.get(3).complete(null);
      assertEquals(1, ring.await(1, LONG));
      assertEquals(new Completion(3, 1), ring.take().orElseThrow());
      assertTrue(ring.put(Submission.read(file, 9, 0, 1, 9)));
      ring.submit();
      List<CompletableFuture<Void>> next = batches.poll(60, TimeUnit.SECONDS);
      next.getFirst()
          .completeExceptionally(
              new LuciolaException(ErrorCode.NO_SERVING_REPLICA, "read: path=/hello chain=1"));
      assertEquals(1, ring.await(1, LONG));
      assertEquals(new Completion(9, -5), ring.take().orElseThrow());
      // Four others are still under way; the owner goes, its memory stays until they have ended.
      ring.close();
      for (int i : new int[] {0, 1, 2}) {
        batch.get(i).complete(null);
      }
      assertTrue(slow.regionBytes() > 0);
      batch.get(4).complete(null);
      eventually("the memory is back", () -> slow.regionBytes() == 0);
    }
    assertNothingIsLeft();
  }

  /** The files with writers whose syncs are counted. */
  private LuciolaFileSystem countingSyncs(AtomicInteger syncs) {
    return (LuciolaFileSystem)
        Proxy.newProxyInstance(
            LuciolaFileSystem.class.getClassLoader(),
            new Class<?>[] {LuciolaFileSystem.class},
            (_, method, arguments) -> {
              Object result = method.invoke(files, arguments);
              return result instanceof WritableFile writer
                  ? Proxy.newProxyInstance(
                      WritableFile.class.getClassLoader(),
                      new Class<?>[] {WritableFile.class},
                      (_, of, with) -> {
                        if (of.getName().equals("sync")) {
                          syncs.incrementAndGet();
                        }
                        return of.invoke(writer, with);
                      })
                  : result;
            });
  }

  @Test
  void aReadWaitsOnlyForWritesWhereItReads() throws Exception {
    AtomicInteger syncs = new AtomicInteger();
    try (LoaderAgent counted =
            LoaderAgent.start(configuration("counted.sock"), countingSyncs(syncs));
        RingClient ring = RingClient.open(counted.socket(), 8, 1 << 20)) {
      try (WritableFile file = files.openWrite("/hello", OpenOptions.EXISTING)) {
        file.truncate(1 << 20);
      }
      int file = ring.openWrite("/hello", OpenOptions.EXISTING).file();
      assertEquals(5, result(ring, Submission.write(file, 100, 0, 5, 1)));
      assertEquals(4096, result(ring, Submission.read(file, 1 << 19, 0, 4096, 2)));
      assertEquals(0, syncs.get());
      assertEquals(4096, result(ring, Submission.read(file, 102, 0, 4096, 3)));
      assertEquals(1, syncs.get());
      assertEquals(4096, result(ring, Submission.read(file, 102, 0, 4096, 4)));
      assertEquals(1, syncs.get(), "once is enough");
      assertEquals(5, result(ring, Submission.write(file, 0, 0, 5, 5)));
      assertEquals(10, result(ring, Submission.read(file, (1 << 20) - 10, 0, 20, 6)));
      assertEquals(2, syncs.get(), "where the file ends depends on writes anywhere");
    }
  }

  @Test
  void aRingServesManyFilesOfBothKindsAtOnce() throws Exception {
    try (RingClient ring = RingClient.open(agent.socket(), 64, 1 << 20)) {
      int out = ring.openWrite("/mixed", OpenOptions.CREATE).file();
      int in = ring.openRead("/hello").file();
      byte[] expected = new byte[64 * 1000];
      for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 32; i++) {
          MemorySegment place = ring.data().asSlice(i * 1000L, 1000);
          place.fill((byte) (round + i));
          java.util.Arrays.fill(expected, i * 1000, i * 1000 + 1000, (byte) (round + i));
          assertTrue(ring.put(Submission.write(out, i * 1000L, i * 1000L, 1000, i)));
          assertTrue(ring.put(Submission.read(in, 0, 500_000 + 100L * i, 11, 100 + i)));
        }
        ring.submit();
        assertEquals(64, ring.await(64, LONG));
        for (int i = 0; i < 64; i++) {
          Completion each = ring.take().orElseThrow();
          assertEquals(each.own() < 100 ? 1000 : 11, each.result());
        }
        assertEquals("hello, ring", text(ring, 500_000 + 100 * 31, 11));
      }
      assertEquals(32_000, result(ring, Submission.read(out, 0, 0, 64_000, 1)));
      assertArrayEquals(
          java.util.Arrays.copyOf(expected, 32_000),
          ring.data().asSlice(0, 32_000).toArray(JAVA_BYTE));
    }
  }
}
