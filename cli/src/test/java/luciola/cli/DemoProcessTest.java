package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo with its servers and its worker as processes, and what it says of bad input. */
class DemoProcessTest {
  @TempDir Path dir;

  @Test
  void checksEveryClaimAndEndsWithSuccess() {
    var run = new Run().in(dir);
    int exitCode = run.command("demo", "--quick", "--dir", "cluster");
    assertEquals(0, exitCode, run.out() + run.err());
    assertTrue(run.out().contains("killed storage-2 with SIGKILL"), run.out());
    assertEquals(11, run.out().lines().filter(line -> line.startsWith("  yes  ")).count());
    assertTrue(Files.notExists(dir.resolve("cluster")), "the demo leaves nothing behind");
  }

  @Test
  void refusesDataThatIsNotThere() {
    var run = new Run().in(dir);
    assertEquals(1, run.command("demo", "--data", "missing"));
    assertTrue(run.err().contains("missing"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void refusesAFolderThatIsNotEmpty() throws IOException {
    Files.writeString(dir.resolve("mine"), "precious");
    var run = new Run().in(dir);
    assertEquals(2, run.command("demo", "--dir", "."), run.err());
    assertEquals("precious", Files.readString(dir.resolve("mine")));
  }
}
