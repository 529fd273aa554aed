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
class RingBenchProcessTest {
  @TempDir Path dir;

  @Test
  void putsTheSameLoadOnEveryWayThereIs() throws IOException {
    var run = new Run().in(dir);
    assertEquals(
        0,
        run.command(
            "bench",
            "ring",
            "--work",
            "read,write",
            "--size",
            "64KiB",
            "--pattern",
            "random",
            "--depth",
            "3",
            "--file-mib",
            "64",
            "--seconds",
            "0.2",
            "--warm-up",
            "0",
            "--replicas",
            "1",
            "--dir",
            dir.toString(),
            "--json"),
        run::err);
    List<JsonNode> figures = new ArrayList<>();
    for (String line : run.out().lines().toList()) {
      figures.add(JsonMapper.builder().build().readTree(line));
    }
    assertEquals(
        List.of("ring.read.random.64KiB.d3.r1", "ring.write.random.64KiB.d3.r1"),
        figures.stream().map(figure -> figure.path("name").asText()).toList());
    for (JsonNode figure : figures) {
      List<String> ways = new ArrayList<>(List.of("api"));
      if (!run.err().contains("bench ring: no mount")) {
        ways.add("mount");
      }
      if (!run.err().contains("bench ring: no ring")) {
        ways.add("ring");
      }
      for (String way : ways) {
        for (String name : List.of("operations_per_s", "bytes_per_s", "p50_s", "p99_s")) {
          assertTrue(figure.path(way).path(name).asDouble() > 0, way + " " + name + " " + figure);
        }
      }
    }
    try (var left = Files.list(dir)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
