package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import luciola.cli.Run;
import luciola.cli.local.JavaCommand;
import luciola.client.LuciolaFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A copying program that is killed, and one that goes on where it was. */
@Timeout(180)
final class InterruptedCopyClusterTest {
  private static final long BYTES = (160L << 20) + 12_345;
  private static final int SMALL = 50;

  /** Of a journal: its first line and some pieces. */
  private static final long BEGUN_BYTES = 200;

  @TempDir Path folder;

  @Test
  void onlyTheRestIsCopied() throws Exception {
    Path tree = Files.createDirectories(folder.resolve("tree"));
    byte[] bytes = new byte[(int) BYTES];
    new Random(9).nextBytes(bytes);
    Files.write(tree.resolve("big"), bytes);
    for (int i = 0; i < SMALL; i++) {
      Files.writeString(tree.resolve("a" + i), "small " + i);
    }
    try (RunningCluster cluster = new RunningCluster(folder.resolve("cluster"));
        LuciolaFileSystem fs = cluster.connect()) {
      Run run = new Run().in(folder).with("LUCIOLA_CLUSTER", cluster.address());
      fs.mkdir("/data");
      killed(cluster, () -> journalBytes(fs, "/data/tree"), "put", "tree", "/data");
      assertTrue(fs.find("/data/tree/big").isEmpty());
      goesOn(run, "put", "--resume", "tree", "/data");
      killed(cluster, () -> journalBytes(folder.resolve("back")), "get", "/data/tree", "back");
      goesOn(run, "get", "--resume", "/data/tree/big", "back");
      assertEquals(-1, Files.mismatch(tree.resolve("big"), folder.resolve("back/big")));
      killed(cluster, () -> journalBytes(fs, "/sync"), "sync", "tree", "luciola:/sync");
      goesOn(run, "sync", "tree", "luciola:/sync");
      assertEquals(0, run.command("sync", "tree", "luciola:/sync", "--checksum", "--json"));
      JsonNode compared = new JsonMapper().readTree(run.out());
      assertEquals(SMALL + 1, compared.path("leftOut").asLong(), run.out());
      assertEquals(
          SMALL + 1, fs.list("/sync").stream().filter(e -> !e.name().startsWith(".")).count());
    }
  }

  /** Starts a copy in a process of its own and kills it when it has copied some pieces. */
  private void killed(RunningCluster cluster, LongSupplier journalBytes, String... command)
      throws Exception {
    Stream<String> options = Stream.of("--piece-mib", "1", "-j", "2");
    ProcessBuilder builder =
        new ProcessBuilder(
                JavaCommand.of(List.of(), Stream.concat(Stream.of(command), options).toList()))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("killed.log").toFile());
    builder.environment().put("LUCIOLA_CLUSTER", cluster.address());
    Process process = builder.start();
    try {
      while (journalBytes.getAsLong() < BEGUN_BYTES) {
        assertTrue(process.isAlive(), () -> "ended by itself: " + process.exitValue());
        LockSupport.parkNanos(1_000_000);
      }
    } finally {
      process.destroyForcibly();
    }
    assertEquals(137, process.waitFor());
  }

  /** What was killed is finished: pieces that were there are not copied again. */
  private static void goesOn(Run run, String... command) throws IOException {
    Stream<String> options = Stream.of("--piece-mib", "1", "--verify", "--json");
    assertEquals(
        0,
        run.command(Stream.concat(Stream.of(command), options).toArray(String[]::new)),
        run.err());
    JsonNode sums = new JsonMapper().readTree(run.out());
    long resumed = sums.path("resumedBytes").asLong();
    assertTrue(resumed >= 5 << 20, run.out());
    long small = sums.path("copiedBytes").asLong() - (BYTES - resumed);
    assertTrue(small >= 0 && small <= SMALL * 10, run.out());
  }

  private static long journalBytes(LuciolaFileSystem fs, String directory) {
    return fs.find(directory).isEmpty()
        ? 0
        : fs.list(directory).stream()
            .filter(entry -> entry.name().endsWith(".done"))
            .mapToLong(entry -> entry.stat().length())
            .sum();
  }

  private static long journalBytes(Path directory) {
    if (!Files.isDirectory(directory)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(path -> path.toString().endsWith(".done"))
          .mapToLong(path -> path.toFile().length())
          .sum();
    } catch (IOException e) {
      return 0;
    }
  }
}
