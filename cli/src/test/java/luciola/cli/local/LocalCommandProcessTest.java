package luciola.cli.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import luciola.cli.Run;
import luciola.cli.connection.ClusterFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code luciola local} and the commands on files, over a cluster in the background. */
class LocalCommandProcessTest {
  @TempDir Path folder;
  private final Run run = new Run();

  @BeforeEach
  void runsInTheFolder() {
    run.in(folder);
  }

  @AfterEach
  void nothingIsLeftRunning() {
    run.command("local", "down");
  }

  private void ok(String... command) {
    assertEquals(0, run.command(command), () -> String.join(" ", command) + ": " + run.err());
  }

  @Test
  void dataIsThereAfterDownAndUpAgain() throws IOException, InterruptedException {
    byte[] bytes = new byte[(9 << 20) + 77];
    new Random(3).nextBytes(bytes);
    Path tree = Files.createDirectories(folder.resolve("tree/sub"));
    Files.write(tree.resolve("big"), bytes);
    Files.writeString(tree.resolve("small"), "small");

    assertEquals(1, run.command("local", "status"));
    ok("local", "up");
    assertTrue(run.out().contains("luciola put"), run.out());
    ok("local", "up");
    assertTrue(run.out().contains("already up"), run.out());
    ok("put", "tree", "/data", "--verify");
    ok("ls", "-R", "/");
    assertTrue(run.out().contains("big"), run.out());
    ok("mkdir", "-p", "/a/b");
    ok("mv", "/data/sub/small", "/a/b/moved");
    ok("stat", "/a/b/moved");
    ok("du", "/");
    ok("cp", "/a", "/c");
    ok("rm", "-r", "/a");
    ok("status");
    ok("local", "down");
    assertEquals(1, run.command("ls"));
    assertTrue(run.err().contains("is down; start it with luciola local up"), run.err());

    ok("local", "up");
    ok("cat", "/data/sub/big");
    assertArrayEquals(bytes, run.outBytes());
    ok("cat", "/c/b/moved");
    assertEquals("small", run.out());
    ok("get", "/data", "back", "--verify");
    assertEquals(-1, Files.mismatch(tree.resolve("big"), folder.resolve("back/sub/big")));
    assertEquals(1, run.command("cat", "/a/b/moved"));
    assertTrue(run.err().contains("NOT_FOUND"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    anInterruptedPutLeavesNothing();
    ok("local", "status", "--json");
    assertTrue(new JsonMapper().readTree(run.out()).path("up").asBoolean());
    ok("local", "down");
    ok("local", "down");
    assertTrue(run.out().contains("not up"), run.out());
  }

  private void anInterruptedPutLeavesNothing() throws IOException, InterruptedException {
    try (var sparse = new RandomAccessFile(folder.resolve("sparse").toFile(), "rw")) {
      sparse.setLength(3L << 30);
    }
    ok("mkdir", "/interrupted");
    Process put =
        new ProcessBuilder(JavaCommand.of(List.of(), List.of("put", "sparse", "/interrupted")))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("put.log").toFile())
            .start();
    do {
      ok("ls", "/interrupted");
      assertTrue(put.isAlive(), () -> "ended by itself: " + put.exitValue());
    } while (run.out().isEmpty());
    assertTrue(run.out().startsWith(".luciola-"), run.out());
    put.destroy();
    put.waitFor();
    ok("ls", "/interrupted");
    assertEquals("", run.out());
  }

  @Test
  void aPortThatIsTakenIsOneLineAndNothingStaysBehind() throws IOException {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = String.valueOf(taken.getLocalPort());
      assertEquals(1, run.command("local", "up", "--port", port));
      assertTrue(run.err().contains("port " + port + " of meta-1 is taken"), run.err());
    }
    assertEquals(1, run.command("local", "status"));
  }

  @Test
  void aStorageServerOfAnotherClusterIsRefused() throws IOException {
    ok("local", "up", "--storage-servers", "1");
    ok("local", "down");
    Path other = folder.resolve("other");
    ok("local", "up", "--storage-servers", "1", "--data-dir", "other");
    ok("local", "down", "--data-dir", "other");
    Files.move(other.resolve("storage-1"), folder.resolve("strange"));
    Files.move(folder.resolve("luciola-data/storage-1"), other.resolve("storage-1"));

    assertEquals(1, run.command("local", "up", "--storage-servers", "1", "--data-dir", "other"));
    assertTrue(run.err().contains("WRONG_CLUSTER"), run.err());
  }

  @Test
  void aNewerFormatIsRefused() throws IOException {
    Path data = Files.createDirectories(folder.resolve("luciola-data"));
    Files.writeString(data.resolve(ClusterFile.NAME), "{\"format\": 99, \"roles\": []}");
    assertEquals(1, run.command("local", "up"));
    assertTrue(run.err().contains("newer release"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertEquals(1, run.command("ls"));
    assertTrue(run.err().contains("newer release"), run.err());
  }

  @Test
  void aStalePidFileMeansNothing() throws IOException {
    Path data = Files.createDirectories(folder.resolve("luciola-data"));
    Files.writeString(data.resolve("local.pid"), ProcessHandle.current().pid() + "\n");
    Files.createFile(data.resolve("local.lock"));
    assertEquals(1, run.command("local", "status"));
    ok("local", "down");
    assertTrue(ProcessHandle.current().isAlive());
    try (Stream<Path> left = Files.list(data)) {
      assertTrue(left.noneMatch(path -> path.endsWith("local.pid")));
    }
  }
}
