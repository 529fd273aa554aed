package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.client.cluster.GarbageCollector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs of two mounts that write one file, both appending or each its own way. */
@Timeout(300)
final class AppendsDeviceTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted one;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted two;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster =
        new MountedCluster(folder, 1, options -> options.withClientTimeout(Duration.ofSeconds(8)));
    one = cluster.mount("one", "--attribute-millis=0");
    two = cluster.mount("two", "--attribute-millis=0");
  }

  @AfterAll
  static void unmount() throws IOException {
    for (MountedCluster.Mounted mounted : new MountedCluster.Mounted[] {one, two}) {
      if (mounted != null) {
        mounted.close();
      }
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  private static CompletableFuture<String> program(Path directory, String python) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return MountedCluster.sh(directory, "python3 -c \"" + python + "\"");
      } catch (IOException | InterruptedException e) {
        throw new AssertionError(e);
      }
    });
  }

  /**
   * Two on each mount; every line is there once, whole, and those of one program in their order.
   */
  @Test
  void linesOfFourProgramsNeitherOverlapNorLeaveHoles() throws Exception {
    int lines = 150;
    Files.write(one.directory().resolve("log"), new byte[0]);
    List<CompletableFuture<String>> programs =
        IntStream.range(0, 4)
            .mapToObj(i ->
                program(
                    (i % 2 == 0 ? one : two).directory(),
                    """
                    import os
                    f = os.open('log', os.O_WRONLY | os.O_APPEND)
                    for i in range(%d):
                        line = ('%d %%d ' %% i) + 'x' * (17 * i %% 300) + chr(10)
                        assert os.write(f, line.encode()) == len(line)
                        if i %% 50 == 49: os.fsync(f)
                    os.close(f)
                    """
                        .formatted(lines, i)))
            .toList();
    for (CompletableFuture<String> program : programs) {
      var _ = program.get(200, TimeUnit.SECONDS);
    }
    for (MountedCluster.Mounted mounted : List.of(one, two)) {
      Map<String, Integer> next = new HashMap<>();
      for (String line :
          Files.readAllLines(mounted.directory().resolve("log"), StandardCharsets.ISO_8859_1)) {
        String[] words = line.split(" ", -1);
        assertEquals(3, words.length, () -> "torn: " + line);
        int number = Integer.parseInt(words[1]);
        assertEquals(next.merge(words[0], 1, Integer::sum) - 1, number, line);
        assertEquals("x".repeat(17 * number % 300), words[2]);
      }
      assertEquals(Map.of("0", lines, "1", lines, "2", lines, "3", lines), next);
    }
  }

  /** Descriptors stay open at both mounts while lines go in by turns. */
  @Test
  void eachAppendsAfterWhatTheOtherHasAppended() throws Exception {
    Path file = Files.write(one.directory().resolve("turns"), new byte[0]);
    try (AppendingProgram ann = new AppendingProgram(file);
        AppendingProgram bob = new AppendingProgram(two.directory().resolve("turns"))) {
      var expected = new StringBuilder();
      for (int i = 0; i < 30; i++) {
        AppendingProgram writer = (i / 3) % 2 == 0 ? ann : bob;
        assertEquals("ok", writer.does("append line" + i));
        expected.append("line").append(i);
        assertEquals(expected.length() + "", writer.does("size"));
        assertEquals(expected.toString(), writer.does("read"));
      }
      assertEquals("ok", ann.does("sync"));
      assertEquals("ok", bob.does("sync"));
      assertEquals(expected.toString(), ann.does("read"));
      assertEquals(expected.toString(), bob.does("read"));
    }
  }

  /** Who is killed with the turn does not keep it longer than its mount's lease. */
  @Test
  void othersAppendAfterAMountWasKilled() throws Exception {
    try (MountedCluster.Mounted dying = cluster.mount("dying")) {
      Path file = Files.write(dying.directory().resolve("killed"), new byte[0]);
      try (AppendingProgram ann = new AppendingProgram(file);
          AppendingProgram bob = new AppendingProgram(two.directory().resolve("killed"))) {
        assertEquals("ok", ann.does("append first"));
        assertEquals("ok", ann.does("sync"));
        assertEquals("ok", ann.does("append lost"));
        dying.process().destroyForcibly().waitFor();
        assertEquals("ok", bob.does("append second"));
        assertEquals("firstsecond", bob.does("read"));
      }
    }
  }

  /** Who removes it knows nothing of the reader, who has just opened it. */
  @Test
  void aFileThatIsReadOutlivesItsRemovalByAnotherMount() throws Exception {
    byte[] content = new byte[3_000_000];
    new Random(5).nextBytes(content);
    Path file = Files.write(two.directory().resolve("read"), content);
    Files.write(two.directory().resolve("unread"), content);
    try (ClusterFileSystem client =
        ClusterFileSystem.connect(ClusterOptions.of(cluster.fleet().metaAddresses()))) {
      var atOnce = new GarbageCollector(client, Duration.ZERO);
      while (atOnce.collect(100) > 0) {}
      var collector = new GarbageCollector(client, Duration.ofSeconds(6));
      try (FileChannel reader =
          FileChannel.open(one.directory().resolve("read"), StandardOpenOption.READ)) {
        Files.delete(file);
        Files.delete(two.directory().resolve("unread"));
        MountedCluster.await("the other is collected", () -> collector.collect(100) == 1);
        assertEquals(0, atOnce.collect(100));
        ByteBuffer read = ByteBuffer.allocate(content.length);
        while (read.hasRemaining() && reader.read(read) > 0) {}
        assertArrayEquals(content, read.array());
      }
      // The kernel tells of the last close a little later.
      MountedCluster.await("collected", () -> collector.collect(100) == 1);
    }
  }

  /** Both have it open for writing all the time. */
  @Test
  void whatOthersMakeOfTheLengthIsSeenByWhoHasItOpenForWriting() throws Exception {
    Path file = Files.write(one.directory().resolve("length"), new byte[0]);
    try (AppendingProgram ann = new AppendingProgram(file);
        AppendingProgram bob = new AppendingProgram(two.directory().resolve("length"))) {
      assertEquals("ok", ann.does("write 0 0123456789"));
      assertEquals("ok", ann.does("sync"));
      assertEquals("10", bob.does("size"));
      assertEquals("0123456789", bob.does("read"));
      assertEquals("ok", bob.does("write 10 abcdef"));
      assertEquals("ok", bob.does("sync"));
      assertEquals("16", ann.does("size"));
      assertEquals("0123456789abcdef", ann.does("read"));
      assertEquals("ok", bob.does("cut 4"));
      assertEquals("4", ann.does("size"));
      assertEquals("0123", ann.does("read"));
      // What was not published yet comes after a cut elsewhere.
      assertEquals("ok", ann.does("write 4 ABC"));
      assertEquals("ok", bob.does("cut 2"));
      assertEquals("7", ann.does("size"));
      assertEquals("ok", ann.does("sync"));
      assertEquals("7", bob.does("size"));
      assertTrue(bob.does("read").endsWith("ABC"));
    }
  }
}
