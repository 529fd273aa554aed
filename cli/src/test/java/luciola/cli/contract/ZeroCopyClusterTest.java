package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.nio.LuciolaFileSystemProvider;
import luciola.loader.agent.AgentClient;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.DatasetRequest;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.dataset.DatasetPacker;
import luciola.loader.ring.RingClient;
import luciola.loader.ring.Submission;
import luciola.loader.train.TokenBatch;
import luciola.protocol.connection.CopyCounter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bytes copied in user space by bytes delivered, of clients whose storage-servers are other
 * processes; each test has connections of its own, because what a connection does with a payload
 * depends on those before it. That every copy is counted is checked over the classes, in the module
 * of deployment.
 */
@Timeout(180)
final class ZeroCopyClusterTest {
  private static final int MIB = 1 << 20;
  private static final int BYTES = 24 * MIB + 4321;

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  private static final byte[] CONTENT = new byte[BYTES];
  private final Random random = new Random(5);

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    new Random(4).nextBytes(CONTENT);
    try (LuciolaFileSystem fs = cluster.connect();
        WritableFile file = fs.openWrite("/content", OpenOptions.CREATE)) {
      file.write(0, CONTENT);
    }
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  /** What was counted while something ran. */
  private record Counted(long copied, long delivered) {
    static Counted of(Reading reading) throws Exception {
      long copied = CopyCounter.copiedBytes();
      long delivered = CopyCounter.deliveredBytes();
      reading.run();
      return new Counted(
          CopyCounter.copiedBytes() - copied, CopyCounter.deliveredBytes() - delivered);
    }
  }

  private interface Reading {
    void run() throws Exception;
  }

  private static void assertHolds(MemorySegment memory, long offset) {
    MemorySegment wanted = MemorySegment.ofArray(CONTENT).asSlice(offset, memory.byteSize());
    assertEquals(-1, memory.mismatch(wanted), "offset=" + offset + " bytes=" + memory.byteSize());
  }

  @Test
  void readsOfTheJavaApiAreNotCopied() throws Exception {
    try (Arena arena = Arena.ofShared();
        LuciolaFileSystem fs = cluster.connect();
        ReadableFile file = fs.openRead("/content")) {
      MemorySegment all = arena.allocate(BYTES);
      assertEquals(new Counted(0, BYTES), Counted.of(() -> file.read(0, all).join()));
      assertHolds(all, 0);
      MemorySegment odd = arena.allocate(5 * MIB + 1);
      assertEquals(
          new Counted(0, odd.byteSize()), Counted.of(() -> file.read(3 * MIB + 777, odd).join()));
      assertHolds(odd, 3 * MIB + 777);
      List<MemorySegment> parts = Stream.generate(() -> arena.allocate(65_537)).limit(64).toList();
      List<Integer> offsets = parts.stream().map(_ -> random.nextInt(BYTES - 65_537)).toList();
      assertEquals(
          new Counted(0, 64 * 65_537L),
          Counted.of(() -> {
            List<CompletableFuture<Long>> reads = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
              reads.add(file.read(offsets.get(i), parts.get(i)));
            }
            reads.forEach(CompletableFuture::join);
          }));
      for (int i = 0; i < parts.size(); i++) {
        assertHolds(parts.get(i), offsets.get(i));
      }
    }
  }

  @Test
  void aBatchOfManySmallRangesIsNotCopied() throws Exception {
    try (Arena arena = Arena.ofShared();
        LuciolaFileSystem fs = cluster.connect();
        ReadableFile file = fs.openRead("/content")) {
      List<ReadRange> ranges = new ArrayList<>();
      long bytes = 0;
      for (int i = 0; i < 2_000; i++) {
        int length = 1 + random.nextInt(8_192);
        bytes += length;
        ranges.add(new ReadRange(file, random.nextInt(BYTES - length), arena.allocate(length)));
      }
      assertEquals(new Counted(0, bytes), Counted.of(() -> fs.read(ranges).join()));
      ranges.forEach(range -> assertHolds(range.into(), range.offset()));
    }
  }

  @Test
  void directBuffersOfAChannelAreNotCopiedAndHeapBuffersOnce() throws Exception {
    try (FileSystem nio = LuciolaFileSystemProvider.over(cluster.connect(), "zero:1");
        FileChannel channel = FileChannel.open(nio.getPath("/content"), StandardOpenOption.READ)) {
      ByteBuffer direct = ByteBuffer.allocateDirect(3 * MIB);
      assertEquals(new Counted(0, 3 * MIB), Counted.of(() -> channel.read(direct, 99)));
      assertHolds(MemorySegment.ofBuffer(direct.flip()), 99);
      ByteBuffer heap = ByteBuffer.allocate(3 * MIB);
      assertEquals(new Counted(3 * MIB, 3 * MIB), Counted.of(() -> channel.read(heap, 99)));
      try (FileChannel copy =
          FileChannel.open(
              directory.resolve("copy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        assertEquals(new Counted(0, BYTES), Counted.of(() -> channel.transferTo(0, BYTES, copy)));
      }
    }
  }

  /** Of payloads of at most 16 KiB in a row some are read ahead with their heads, and copied. */
  @Test
  void smallReadsOneByOneAreCopiedAtMostOnce() throws Exception {
    try (Arena arena = Arena.ofShared();
        LuciolaFileSystem fs = cluster.connect();
        ReadableFile file = fs.openRead("/content")) {
      List<MemorySegment> parts = Stream.generate(() -> arena.allocate(4096)).limit(500).toList();
      Counted counted =
          Counted.of(() -> {
            List<CompletableFuture<Long>> reads = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
              reads.add(file.read(4096L * i, parts.get(i)));
            }
            reads.forEach(CompletableFuture::join);
          });
      assertEquals(500 * 4096L, counted.delivered());
      assertTrue(counted.copied() <= counted.delivered(), counted.toString());
      for (int i = 0; i < parts.size(); i++) {
        assertHolds(parts.get(i), 4096L * i);
      }
    }
  }

  @Test
  void readsOfARingAreReceivedInItsMemory() throws Exception {
    Path socket = directory.resolve("ring.sock");
    try (LuciolaFileSystem fs = cluster.connect();
        LoaderAgent _ = LoaderAgent.start(AgentConfiguration.of(socket), fs);
        RingClient ring = RingClient.open(socket, 64, 64 * MIB)) {
      int file = ring.openRead("/content").file();
      // Batches of all sizes; each whole batch is put in before the agent sees any of it.
      for (int length : new int[] {20_000, 65_537, MIB, 333_333}) {
        long[] offsets = random.longs(48, 0, BYTES - length).toArray();
        long bytes = 48L * length;
        assertEquals(
            new Counted(0, bytes),
            Counted.of(() -> {
              for (int i = 0; i < offsets.length; i++) {
                assertTrue(
                    ring.put(Submission.read(file, offsets[i], (long) i * length, length, i)));
              }
              ring.submit();
              assertEquals(offsets.length, ring.await(offsets.length, Duration.ofSeconds(60)));
            }),
            "length=" + length);
        for (int i = 0; i < offsets.length; i++) {
          assertEquals(length, ring.take().orElseThrow().result());
          assertHolds(ring.data().asSlice((long) i * length, length), offsets[i]);
        }
      }
    }
  }

  @Test
  void slotsOfTheLoaderAreFilledWithoutACopy() throws Exception {
    List<DatasetPacker.Document> documents = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      byte[] bytes = new byte[200_000];
      random.nextBytes(bytes);
      documents.add(new DatasetPacker.Document("doc-" + i, bytes));
    }
    try (LuciolaFileSystem fs = cluster.connect()) {
      new DatasetPacker(fs).packByteTokens("/corpus", documents.iterator(), OptionalInt.empty());
    }
    Path socket = directory.resolve("agent.sock");
    try (LuciolaFileSystem fs = cluster.connect();
        LoaderAgent _ = LoaderAgent.start(AgentConfiguration.of(socket), fs);
        AgentClient client = AgentClient.open(socket, DatasetRequest.of("/corpus", 2048, 256, 3))) {
      // The first batches say that the index and the catalog have been read.
      client.next().orElseThrow().close();
      client.next().orElseThrow().close();
      Counted counted =
          Counted.of(() -> {
            for (int i = 0; i < 8; i++) {
              try (TokenBatch batch = client.next().orElseThrow()) {
                assertTrue(batch.rows() > 0);
              }
            }
          });
      assertEquals(0, counted.copied(), counted.toString());
      assertTrue(counted.delivered() >= 4 * 256 * 2049L, counted.toString());
    }
  }
}
