package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bench over a file system in memory: what it measures there is no claim, what it prints is.
 */
class BenchCommandTest {
  @TempDir Path dir;

  @Test
  void printsFiguresBesideTheMachinesLimitsAndLeavesNothing() throws IOException {
    try (LuciolaFileSystem files = new MemoryFileSystem()) {
      var run = new Run(_ -> Unclosed.of(files)).in(dir);
      int exitCode =
          run.command(
              "bench", "--cluster", "memory:1", "--mib", "4", "--request-kib", "1024", "--json");
      assertEquals(0, exitCode, run.err());
      List<String> names = new ArrayList<>();
      for (String line : run.out().lines().toList()) {
        JsonNode result = JsonMapper.builder().build().readTree(line);
        names.add(result.path("name").asText());
        assertTrue(result.path("value").asDouble() > 0, line);
      }
      assertEquals(
          List.of(
              "limit.loopback.stream",
              "limit.disk.write",
              "limit.disk.flush.4KiB",
              "write.seq.1MiB.q4",
              "read.seq.first.1MiB.q4",
              "read.seq.cached.1MiB.q4"),
          names);
      assertEquals(List.of(), files.list("/.bench"));
    }
  }

  @Test
  void refusesSizesThatDoNotFit() {
    var run = new Run().in(dir);
    assertEquals(2, run.command("bench", "--cluster", "memory:1", "--request-kib", "3"));
    assertTrue(run.err().contains("power of two"), run.err());
  }
}
