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
class MetaBenchProcessTest {
  @TempDir Path dir;

  @Test
  void measuresNamesBesideAFlush() throws IOException {
    var run = new Run().in(dir);
    assertEquals(
        0,
        run.command(
            "bench",
            "meta",
            "--depth",
            "1,8",
            "--files",
            "50",
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
        List.of("meta.create.d1", "meta.create.d8", "meta.stat.d1", "meta.stat.d8"),
        figures.stream().map(figure -> figure.path("name").asText()).toList());
    for (JsonNode figure : figures) {
      for (String name : List.of("per_s", "p50_s", "p99_s", "disk_flush_s")) {
        assertTrue(figure.path(name).asDouble() > 0, name + " in " + figure);
      }
    }
    try (var left = Files.list(dir)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
