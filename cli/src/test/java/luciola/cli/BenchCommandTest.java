package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the bench measures here is no claim; what it does and prints is. */
class BenchCommandTest {
  private static final List<String> SHORT = List.of("--seconds", "0.05", "--warm-up", "1");

  @TempDir Path dir;

  private static List<JsonNode> figures(Run run) throws IOException {
    List<JsonNode> figures = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      figures.add(JsonMapper.builder().build().readTree(line));
    }
    return figures;
  }

  private static List<String> names(List<JsonNode> figures) {
    return figures.stream().map(figure -> figure.path("name").asText()).toList();
  }

  private static int run(Run run, String... arguments) {
    List<String> all = new ArrayList<>(List.of("bench"));
    all.addAll(List.of(arguments));
    all.addAll(SHORT);
    return run.command(all.toArray(String[]::new));
  }

  private static void assertMeasured(List<JsonNode> figures) {
    for (JsonNode figure : figures) {
      for (String name :
          List.of(
              "operations_per_s",
              "p50_s",
              "p99_s",
              "limit",
              "ratio",
              "loopback_bytes_per_s",
              "disk_write_bytes_per_s",
              "disk_flush_s",
              "bare_chain_s",
              "crc_bytes_per_s")) {
        assertTrue(figure.path(name).asDouble() > 0, name + " in " + figure);
      }
    }
  }

  @Test
  void measuresReadsBesideTheMachineAndLeavesNothing() throws IOException {
    try (LuciolaFileSystem files = new MemoryFileSystem()) {
      var run = new Run(_ -> Unclosed.of(files)).in(dir);
      int exitCode =
          run(
              run,
              "read",
              "--cluster",
              "memory:1",
              "--file-mib",
              "64",
              "--pattern",
              "sequential,random",
              "--size",
              "64KiB",
              "--depth",
              "1,3",
              "--batch",
              "4",
              "--dir",
              ".",
              "--json");
      assertEquals(0, exitCode, run.err());
      List<JsonNode> figures = figures(run);
      assertEquals(
          List.of(
              "read.sequential.64KiB.d1.b4.r3",
              "read.sequential.64KiB.d3.b4.r3",
              "read.random.64KiB.d1.b4.r3",
              "read.random.64KiB.d3.b4.r3"),
          names(figures));
      assertMeasured(figures);
      assertEquals(List.of(), files.list("/.bench"));
    }
  }

  @Test
  void measuresDurableWritesAndLeavesNothing() throws IOException {
    try (LuciolaFileSystem files = new MemoryFileSystem()) {
      var run = new Run(_ -> Unclosed.of(files)).in(dir);
      int exitCode =
          run(
              run,
              "write",
              "--cluster",
              "memory:1",
              "--file-mib",
              "64",
              "--pattern",
              "stream,sequential,random,scattered",
              "--size",
              "1MiB",
              "--depth",
              "2",
              "--dir",
              ".",
              "--json");
      assertEquals(0, exitCode, run.err());
      List<JsonNode> figures = figures(run);
      assertEquals(
          List.of(
              "write.stream.1MiB.d2.r3",
              "write.sequential.1MiB.d2.r3",
              "write.random.1MiB.d2.r3",
              "write.scattered.1MiB.d2.r3"),
          names(figures));
      assertMeasured(figures);
      assertEquals(List.of(), files.list("/.bench"));
    }
  }

  @Test
  void measuresTheEngineByItself() throws IOException {
    var run = new Run().in(dir);
    int exitCode = run(run, "storage", "--size", "4KiB", "--depth", "1,2", "--dir", ".", "--json");
    assertEquals(0, exitCode, run.err());
    List<JsonNode> figures = figures(run);
    assertEquals(
        List.of(
            "storage.write.sequential.4KiB.d1.r1",
            "storage.write.sequential.4KiB.d2.r1",
            "storage.read.sequential.4KiB.d1.r1",
            "storage.read.sequential.4KiB.d2.r1"),
        names(figures));
    assertMeasured(figures);
    assertEquals("flush of 4 KiB", figures.getFirst().path("limit_name").asText());
    try (var left = Files.list(dir)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void refusesWhatItCannotMeasure() {
    var run = new Run().in(dir);
    assertEquals(2, run.command("bench", "read", "--cluster", "memory:1", "--size", "3KiB"));
    assertTrue(run.err().contains("powers of two"), run.err());
    assertEquals(2, run.command("bench", "storage", "--pattern", "stream"));
    assertEquals(2, run.command("bench", "write", "--depth", "0"));
    assertEquals(2, run.command("bench", "meta", "--depth", "0"));
    assertEquals(2, run.command("bench"));
  }
}
