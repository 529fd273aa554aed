package luciola.client.cluster;

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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import luciola.client.AttributeChange;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.connection.CopyCounter;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ReadRequest;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.router.RouterLimits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class ClusterFileSystemTest {
  private static final RouterLimits LIMITS =
      new RouterLimits(
          TimeUnit.SECONDS.toNanos(40),
          TimeUnit.MILLISECONDS.toNanos(500),
          TimeUnit.MILLISECONDS.toNanos(1),
          TimeUnit.MILLISECONDS.toNanos(50),
          TimeUnit.MILLISECONDS.toNanos(100),
          3);

  @SuppressWarnings("NullAway.Init")
  private FakeCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private ClusterFileSystem fs;

  @BeforeEach
  void start() throws IOException {
    cluster = new FakeCluster();
    fs = connect(LIMITS);
  }

  private ClusterFileSystem connect(RouterLimits limits) {
    return ClusterFileSystem.connect(
        ClusterOptions.of(List.of(cluster.address()))
            .withTimes(limits, TimeUnit.SECONDS.toNanos(40))
            .withBytes(1 << 20, 64 << 20));
  }

  @AfterEach
  void stop() {
    fs.close();
    cluster.close();
  }

  @Test
  void readsBackWhatItWroteWithoutACopy() {
    byte[] bytes = random(10 * FakeCluster.CHUNK + 321, 1);
    write("/f", bytes);
    try (ClusterFileSystem reader = connect(LIMITS)) {
      long copied = CopyCounter.copiedBytes();
      long delivered = CopyCounter.deliveredBytes();
      assertArrayEquals(bytes, read(reader, "/f"));
      assertEquals(copied, CopyCounter.copiedBytes());
      assertEquals(bytes.length, CopyCounter.deliveredBytes() - delivered);
    }
    assertEquals(11, cluster.chunks.bytes.size());
  }

  @Test
  void sendsAWholeChunkInOneUpdate() {
    byte[] bytes = random(4 * FakeCluster.CHUNK, 2);
    try (WritableFile file = fs.openWrite("/f", OpenOptions.CREATE)) {
      for (int at = 0; at < bytes.length; at += 1024) {
        file.write(at, Arrays.copyOfRange(bytes, at, at + 1024));
      }
    }
    assertEquals(4, cluster.chunks.applied.get());
    assertArrayEquals(bytes, read("/f"));
  }

  @Test
  void aSmallFileTakesTwoCallsAndOneUpdateInWhateverWayItIsWritten() {
    cluster.operations.clear();
    try (NewFile file = fs.begin("/f", 0600)) {
      file.write(0, MemorySegment.ofArray(new byte[] {1, 2, 3}));
      file.publish(
          new AttributeChange(
              Optional.of(0640),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.of(7L)));
    }
    assertEquals(List.of("CREATE", "CLOSE"), cluster.operations);
    assertEquals(1, cluster.chunks.applied.get());
    cluster.operations.clear();
    write("/g", new byte[] {4, 5});
    assertEquals(List.of("CREATE", "CLOSE"), cluster.operations);
    assertEquals(2, cluster.chunks.applied.get());
    assertArrayEquals(new byte[] {1, 2, 3}, read("/f"));
  }

  @Test
  void manySmallFilesAreOpenWithLittleMemory() {
    // As many whole chunks of 4 MiB would not fit in the 64 MiB that this client has.
    List<WritableFile> open = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      open.add(fs.openWrite("/many" + i, new OpenOptions(true, true, false, 0644, 4 << 20, 0)));
      open.getLast().write(0, new byte[] {(byte) i});
    }
    assertEquals(0, cluster.chunks.applied.get());
    open.forEach(WritableFile::close);
    assertArrayEquals(new byte[] {(byte) 299}, read("/many299"));
  }

  @Test
  void goesToAnotherReplicaAfterABadChecksum() {
    byte[] bytes = random(20 * FakeCluster.CHUNK, 3);
    write("/f", bytes);
    cluster.server(1).corrupt = true;
    cluster.server(2).corrupt = true;
    assertArrayEquals(bytes, read("/f"));
    assertTrue(cluster.server(1).readRequests.get() + cluster.server(2).readRequests.get() > 0);
  }

  @Test
  void givesBadBytesToNobody() {
    write("/f", random(100, 4));
    cluster.servers.forEach(server -> server.corrupt = true);
    CompletionException fault = assertThrows(CompletionException.class, () -> read("/f"));
    LuciolaException cause = assertInstanceOf(LuciolaException.class, fault.getCause());
    assertEquals(ErrorCode.CHECKSUM_MISMATCH, cause.code());
    assertTrue(String.valueOf(cause.getMessage()).contains("path=/f"));
  }

  @Test
  void readsOnWhenAServerDies() {
    byte[] bytes = random(40 * FakeCluster.CHUNK, 5);
    write("/f", bytes);
    assertArrayEquals(bytes, read("/f"));
    cluster.server(2).close();
    for (int i = 0; i < 5; i++) {
      assertArrayEquals(bytes, read("/f"));
    }
  }

  @Test
  void writesOnWhenTheHeadDies() {
    byte[] bytes = random(40 * FakeCluster.CHUNK, 6);
    try (WritableFile file = fs.openWrite("/f", OpenOptions.CREATE)) {
      file.write(0, MemorySegment.ofArray(bytes).asSlice(0, 20L * FakeCluster.CHUNK));
      cluster.server(1).close();
      file.write(
          20L * FakeCluster.CHUNK, MemorySegment.ofArray(bytes).asSlice(20L * FakeCluster.CHUNK));
      CompletableFuture<Void> sync = CompletableFuture.runAsync(file::sync);
      cluster.publish(2, 2, 3, 1);
      sync.join();
      assertTrue(cluster.server(2).updateRequests.get() >= 20);
    }
    assertArrayEquals(bytes, read("/f"));
  }

  @Test
  void appliesAnUpdateOnceWhenItsReplyIsLost() {
    cluster.server(1).repliesToLose.set(3);
    byte[] bytes = random(4 * FakeCluster.CHUNK, 7);
    write("/f", bytes);
    assertEquals(4, cluster.chunks.applied.get());
    assertTrue(cluster.chunks.repeated.get() >= 3);
    assertArrayEquals(bytes, read("/f"));
  }

  @Test
  void followsTheChainToItsNewVersion() {
    write("/f", random(10, 8));
    int[] newest = {0};
    cluster.servers.forEach(server ->
        server.answer =
            request ->
                switch (request) {
                  case ReadRequest read
                      when read.ranges().getFirst().chainVersion().value() < newest[0] ->
                      ErrorCode.STALE_CHAIN_VERSION;
                  case UpdateRequest update when update.chainVersion().value() < newest[0] ->
                      ErrorCode.STALE_CHAIN_VERSION;
                  default -> ErrorCode.OK;
                });
    newest[0] = 3;
    CompletableFuture<byte[]> reading = CompletableFuture.supplyAsync(() -> read("/f"));
    cluster.publish(3, 1, 2, 3);
    assertFalse(reading.isDone());
    cluster.publish(3, 1, 2, 3);
    assertArrayEquals(random(10, 8), reading.join());
    newest[0] = 4;
    CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> write("/g", new byte[9]));
    cluster.publish(3, 3, 2, 1);
    writing.join();
    assertTrue(cluster.server(3).updateRequests.get() > 0);
  }

  @Test
  void retriesFailedBytesBySyncAndReportsWhatStays() {
    AtomicBoolean full = new AtomicBoolean(true);
    cluster.servers.forEach(server ->
        server.answer =
            request ->
                request instanceof UpdateRequest && full.get() ? ErrorCode.NO_SPACE : ErrorCode.OK);
    byte[] bytes = random(3 * FakeCluster.CHUNK + 5, 9);
    try (WritableFile file = fs.openWrite("/f", OpenOptions.CREATE)) {
      file.write(0, bytes);
      LuciolaException fault = assertThrows(LuciolaException.class, file::sync);
      assertEquals(ErrorCode.NO_SPACE, fault.code());
      assertTrue(String.valueOf(fault.getMessage()).contains("sync: path=/f"));
      full.set(false);
      file.sync();
      assertArrayEquals(bytes, read("/f"));
    }
  }

  @Test
  void raisesABackgroundErrorAtTheNextWrite() {
    AtomicBoolean full = new AtomicBoolean(true);
    cluster.servers.forEach(server ->
        server.answer =
            request ->
                request instanceof UpdateRequest && full.get() ? ErrorCode.NO_SPACE : ErrorCode.OK);
    byte[] bytes = random(FakeCluster.CHUNK, 10);
    try (WritableFile file = fs.openWrite("/f", OpenOptions.CREATE)) {
      file.write(0, bytes);
      await(() -> {
        try {
          file.write(FakeCluster.CHUNK, new byte[0]);
          return false;
        } catch (LuciolaException e) {
          return e.code() == ErrorCode.NO_SPACE;
        }
      });
      full.set(false);
    }
    assertArrayEquals(bytes, read("/f"));
  }

  @Test
  void aFailedCloseSaysSoAndPublishesNoLength() {
    cluster.servers.forEach(server ->
        server.answer =
            request -> request instanceof UpdateRequest ? ErrorCode.NO_SPACE : ErrorCode.OK);
    WritableFile file = fs.openWrite("/f", OpenOptions.CREATE);
    file.write(0, new byte[10]);
    assertEquals(ErrorCode.NO_SPACE, assertThrows(LuciolaException.class, file::close).code());
    file.close();
    assertEquals(0, fs.stat("/f").length());
  }

  @Test
  void removesChunksBeforeTheFileShrinks() {
    byte[] bytes = random(6 * FakeCluster.CHUNK, 11);
    write("/f", bytes);
    try (WritableFile file = fs.openWrite("/f", OpenOptions.EXISTING)) {
      file.truncate(FakeCluster.CHUNK + 7);
      assertEquals(2, cluster.chunks.bytes.size());
      file.truncate(3L * FakeCluster.CHUNK);
    }
    byte[] expected = new byte[3 * FakeCluster.CHUNK];
    System.arraycopy(bytes, 0, expected, 0, FakeCluster.CHUNK + 7);
    assertArrayEquals(expected, read("/f"));
    fs.openWrite("/f", OpenOptions.CREATE).close();
    assertEquals(0, cluster.chunks.bytes.size());
    assertEquals(0, fs.stat("/f").length());
  }

  @Test
  void asksAServerOnceForManySmallRanges() {
    byte[] bytes = random(4 * FakeCluster.CHUNK, 12);
    write("/f", bytes);
    int before = cluster.servers.stream().mapToInt(server -> server.readRequests.get()).sum();
    try (ReadableFile file = fs.openRead("/f");
        Arena arena = Arena.ofShared()) {
      List<ReadRange> ranges = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        ranges.add(new ReadRange(file, i * 500L, arena.allocate(200)));
      }
      fs.read(ranges).join();
      for (ReadRange range : ranges) {
        MemorySegment expected =
            MemorySegment.ofArray(bytes).asSlice(range.offset(), range.into().byteSize());
        assertEquals(-1, expected.mismatch(range.into()));
      }
    }
    int requests =
        cluster.servers.stream().mapToInt(server -> server.readRequests.get()).sum() - before;
    assertTrue(requests <= 3, "requests=" + requests);
  }

  @Test
  void manyOpenFilesShareLittleMemory() {
    List<WritableFile> files = new ArrayList<>();
    OpenOptions bigChunks = new OpenOptions(true, false, true, 0644, 4 << 20, 0);
    for (int i = 0; i < 40; i++) {
      WritableFile file = fs.openWrite("/f" + i, bigChunks);
      file.write(0, random(1000, i));
      files.add(file);
    }
    files.forEach(WritableFile::close);
    for (int i = 0; i < 40; i++) {
      assertArrayEquals(random(1000, i), read("/f" + i));
    }
  }

  @Test
  void givesUpAtTheDeadlineWithTheLastError() {
    write("/f", new byte[10]);
    cluster.servers.forEach(server -> server.mute = true);
    try (ClusterFileSystem hasty =
        connect(LIMITS.withDeadlineNanos(TimeUnit.MILLISECONDS.toNanos(300)))) {
      try (ReadableFile file = hasty.openRead("/f");
          Arena arena = Arena.ofShared()) {
        MemorySegment into = arena.allocate(10);
        CompletionException fault =
            assertThrows(CompletionException.class, () -> file.read(0, into).join());
        LuciolaException cause = assertInstanceOf(LuciolaException.class, fault.getCause());
        assertEquals(ErrorCode.TIMED_OUT, cause.code());
      }
    }
  }

  @Test
  void collectsTheChunksOfRemovedFiles() {
    write("/f", random(5 * FakeCluster.CHUNK, 13));
    write("/g", random(10, 14));
    fs.remove("/f");
    assertEquals(6, cluster.chunks.bytes.size());
    try (GarbageCollector collector = new GarbageCollector(fs, java.time.Duration.ZERO)) {
      assertEquals(1, collector.collect(10));
      assertEquals(1, cluster.chunks.bytes.size());
      assertEquals(0, collector.collect(10));
    }
  }

  @Test
  void renewsSessionsOfOpenFiles() {
    ClusterOptions defaults = ClusterOptions.of(List.of(cluster.address()));
    ClusterOptions quick =
        new ClusterOptions(
            defaults.metaAddresses(),
            defaults.cluster(),
            0,
            0,
            defaults.zone(),
            LIMITS,
            defaults.metaCallNanos(),
            defaults.readBytesMax(),
            defaults.batchBytesMax(),
            defaults.batchRangesMax(),
            defaults.writeBytesMax(),
            defaults.updatesMax(),
            TimeUnit.MILLISECONDS.toNanos(5),
            1,
            defaults.access(),
            false);
    try (ClusterFileSystem other = ClusterFileSystem.connect(quick);
        WritableFile _ = other.openWrite("/f", OpenOptions.CREATE)) {
      await(() -> cluster.operations.contains("RENEW_SESSIONS"));
    }
  }

  @Test
  void refusesMemoryThatItsThreadsCannotFill() {
    write("/f", new byte[10]);
    try (ReadableFile file = fs.openRead("/f");
        Arena confined = Arena.ofConfined()) {
      for (MemorySegment bad :
          List.of(confined.allocate(10), MemorySegment.ofArray(new byte[10]))) {
        CompletionException fault =
            assertThrows(CompletionException.class, () -> file.read(0, bad).join());
        LuciolaException cause = assertInstanceOf(LuciolaException.class, fault.getCause());
        assertEquals(ErrorCode.INVALID_ARGUMENT, cause.code());
      }
    }
  }

  private void write(String path, byte[] bytes) {
    try (WritableFile file = fs.openWrite(path, OpenOptions.CREATE)) {
      file.write(0, bytes);
    }
  }

  private byte[] read(String path) {
    return read(fs, path);
  }

  private static byte[] read(ClusterFileSystem from, String path) {
    try (ReadableFile file = from.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(Math.max(1, file.length()));
      long count = file.read(0, into).join();
      return into.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - deadline < 0, "condition did not come true");
      Thread.onSpinWait();
    }
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
