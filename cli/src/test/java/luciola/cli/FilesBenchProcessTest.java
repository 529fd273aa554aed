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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What it measures here is no claim; what it does and prints is. */
@Timeout(240)
class FilesBenchProcessTest {
  @TempDir Path dir;

  @Test
  void measuresSmallFilesWrittenReadPutAndGot() throws IOException {
    var run = new Run().in(dir);
    assertEquals(
        0,
        run.command(
            "bench",
            "files",
            "--depth",
            "1,8",
            "--files",
            "300",
            "--replicas",
            "1",
            "--seconds",
            "0.2",
            "--warm-up",
            "0.1",
            "--dir",
            dir.toString(),
            "--json"),
        run::err);
    List<JsonNode> figures = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      figures.add(JsonMapper.builder().build().readTree(line));
    }
    assertEquals(
        List.of(
            "files.write.d1",
            "files.write.d8",
            "files.read.d1",
            "files.read.d8",
            "files.put",
            "files.get"),
        figures.stream().map(figure -> figure.path("name").asText()).toList());
    for (JsonNode figure : figures) {
      for (String name : List.of("per_s", "p50_s", "p99_s", "disk_flush_s", "client_cpu_us")) {
        assertTrue(figure.path(name).asDouble() > 0, name + " in " + figure);
      }
    }
    assertEquals(
        2, run.command("bench", "files", "--work", "erase", "--dir", dir.toString()), run::err);
    try (var left = Files.list(dir)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
