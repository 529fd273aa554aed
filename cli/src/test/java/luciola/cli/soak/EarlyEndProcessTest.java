package luciola.cli.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.cli.local.JavaCommand;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A soak that is told to end while it runs. */
@Timeout(240)
final class EarlyEndProcessTest {
  private static final int TERMINATED = 128 + 15;

  @TempDir private Path directory;

  @Test
  void whatItStartedAndMadeIsGoneAndWhatItFoundIsTold() throws Exception {
    Path servers = directory.resolve("servers");
    var soak = new Running(directory, "--dir", servers.toString(), "--faults", "pause,meta-pause");
    try {
      await("a fault", () -> soak.said().contains(" pause "));
      List<ProcessHandle> children = soak.process.descendants().toList();
      assertTrue(children.size() >= 4, children.toString());
      soak.process.destroy();
      assertTrue(soak.process.waitFor(60, TimeUnit.SECONDS), "it goes on");
      assertEquals(TERMINATED, soak.process.exitValue());
      for (ProcessHandle child : children) {
        await("the end of " + child, () -> !child.isAlive());
      }
      assertTrue(soak.printed().contains("seed 5: 0 violations"), soak.printed() + soak.said());
      assertTrue(soak.said().contains("ended early"), soak.said());
      assertFalse(Files.exists(servers), soak.said());
    } finally {
      soak.process.destroyForcibly();
    }
  }

  @Test
  void itIsGoneAsWellWhenItHasHardlyBegun() throws Exception {
    Path servers = directory.resolve("servers");
    var soak = new Running(directory, "--dir", servers.toString());
    try {
      await("the first server", () -> Files.exists(servers.resolve("storage-1/config.toml")));
      soak.process.destroy();
      assertTrue(soak.process.waitFor(60, TimeUnit.SECONDS), "it goes on");
      assertFalse(Files.exists(servers), soak.said());
    } finally {
      soak.process.destroyForcibly();
    }
  }

  /** {@code luciola soak} as a process. */
  static final class Running {
    final Process process;
    private final Path out;
    private final Path err;

    Running(Path directory, String... options) throws IOException {
      this.out = directory.resolve("out");
      this.err = directory.resolve("err");
      var arguments = new ArrayList<>(List.of("soak", "--minutes", "5", "--seed", "5"));
      arguments.addAll(List.of("--servers", "3", "--mib-per-second", "4"));
      arguments.addAll(List.of(options));
      var builder =
          new ProcessBuilder(JavaCommand.of(List.of("-XX:TieredStopAtLevel=1"), arguments));
      this.process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    }

    String printed() {
      return text(out);
    }

    String said() {
      return text(err);
    }

    private static String text(Path file) {
      try {
        return Files.readString(file, StandardCharsets.UTF_8);
      } catch (IOException e) {
        return e.toString();
      }
    }
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - deadline < 0, "did not come true: " + what);
      LockSupport.parkNanos(20_000_000);
    }
  }
}
