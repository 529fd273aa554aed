package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
class MountBenchDeviceTest {
  @TempDir Path dir;

  @Test
  void measuresTheMountBesideTheApiAndLeavesNothing() throws IOException {
    assumeTrue(
        "root".equals(System.getProperty("user.name")) && Files.isWritable(Path.of("/dev/fuse")),
        "SKIPPED-TIER device: mounting needs root and /dev/fuse");
    var run = new Run().in(dir);
    assertEquals(
        0,
        run.command(
            "bench",
            "mount",
            "--pattern",
            "sequential,random",
            "--size",
            "64KiB",
            "--depth",
            "2",
            "--file-mib",
            "64",
            "--seconds",
            "0.1",
            "--warm-up",
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
        List.of(
            "mount.read.sequential.64KiB.d2.r3",
            "mount.read.random.64KiB.d2.r3",
            "mount.write.sequential.64KiB.d2.r3",
            "mount.write.random.64KiB.d2.r3"),
        figures.stream().map(figure -> figure.path("name").asText()).toList());
    for (JsonNode figure : figures) {
      double api = figure.path("api").path("bytes_per_s").asDouble();
      double mount = figure.path("mount").path("bytes_per_s").asDouble();
      assertTrue(api > 0 && mount > 0, figure::toString);
      assertEquals(mount / api, figure.path("ratio").asDouble(), 0.01 * mount / api);
    }
    try (var left = Files.list(dir)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void refusesWhatItCannotMeasure() {
    var run = new Run().in(dir);
    assertEquals(2, run.command("bench", "mount", "--work", "copy"));
    assertEquals(2, run.command("bench", "mount", "--file-mib", "1"));
    assertEquals(2, run.command("bench", "mount", "--pattern", "stream"));
  }
}
