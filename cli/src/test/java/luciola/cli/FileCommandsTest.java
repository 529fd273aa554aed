package luciola.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileCommandsTest {
  @TempDir Path folder;
  private final Run run = new Run(new Kept()).with("LUCIOLA_CLUSTER", "memory:1");

  /** Stays open over commands, as a cluster does. */
  private static final class Kept implements luciola.cli.connection.Connector {
    private final MemoryFileSystem fs = new MemoryFileSystem();

    @Override
    public luciola.client.LuciolaFileSystem connect(java.util.List<String> metaServers) {
      return Unclosed.of(fs);
    }
  }

  @BeforeEach
  void runsInTheFolder() {
    run.in(folder);
  }

  @Test
  void aTreeComesBackAsItWent() throws IOException {
    Path tree = sampleTree();
    assertEquals(0, run.command("put", "tree", "/data"), run.err());
    assertEquals(0, run.command("get", "/data", "back", "--verify"), run.err());
    assertEquals(contents(tree), contents(folder.resolve("back")));
    Path script = folder.resolve("back/sub/run.sh");
    assertEquals("rwxr-x--x", PosixFilePermissions.toString(Files.getPosixFilePermissions(script)));
    assertEquals(
        FileTime.from(Instant.ofEpochSecond(1_000_000_000)), Files.getLastModifiedTime(script));
  }

  @Test
  void putIntoADirectoryKeepsTheName() throws IOException {
    sampleTree();
    assertEquals(0, run.command("mkdir", "/data"));
    assertEquals(0, run.command("put", "tree", "tree/a.txt", "/data", "--verify"), run.err());
    assertEquals(0, run.command("ls", "/data"));
    assertEquals("a.txt\ntree\n", run.out());
  }

  @Test
  void aFileOverAnotherReplacesItWhole() throws IOException {
    Files.writeString(folder.resolve("x"), "first and long");
    assertEquals(0, run.command("put", "x", "/x"));
    Files.writeString(folder.resolve("x"), "second");
    assertEquals(0, run.command("put", "x", "/x"));
    assertEquals(0, run.command("cat", "/x"));
    assertEquals("second", run.out());
    assertEquals(0, run.command("ls", "/"));
    assertEquals("x\n", run.out());
  }

  @Test
  void resumeLeavesOutWhatIsThere() throws IOException {
    Path tree = sampleTree();
    assertEquals(0, run.command("put", "tree", "/"));
    Files.writeString(tree.resolve("new"), "n");
    Files.writeString(tree.resolve("a.txt"), "HELLO");
    assertEquals(0, run.command("put", "--resume", "tree", "/"), run.err());
    assertTrue(run.err().contains("2 already there"), run.err());
    assertEquals(0, run.command("cat", "/tree/a.txt", "/tree/new"));
    assertEquals("HELLOn", run.out());
    assertEquals(0, run.command("cp", "/tree", "/copy"), run.err());
    assertEquals(0, run.command("get", "/copy", "back"), run.err());
    assertEquals(contents(tree), contents(folder.resolve("back")));
  }

  @Test
  void aBigFileIsCopiedInManyBuffers() throws IOException {
    byte[] bytes = new byte[(37 << 20) + 12345];
    new Random(7).nextBytes(bytes);
    Files.write(folder.resolve("big"), bytes);
    assertEquals(0, run.command("put", "big", "/", "--verify"), run.err());
    assertEquals(0, run.command("cat", "/big"));
    assertArrayEquals(bytes, run.outBytes());
    assertEquals(0, run.command("get", "/big", "again", "-j", "1"), run.err());
    assertEquals(-1, Files.mismatch(folder.resolve("big"), folder.resolve("again")));
  }

  @Test
  void whatFailsIsNamedAndTheRestIsDone() throws IOException {
    sampleTree();
    assertEquals(0, run.command("mkdir", "-p", "/tree/a.txt"));
    assertEquals(3, run.command("put", "tree", "/"), run.err());
    assertTrue(run.err().contains("a.txt: IS_A_DIRECTORY"), run.err());
    assertEquals(0, run.command("cat", "/tree/sub/run.sh"), run.err());
  }

  @Test
  void aMissingSourceIsOneLineAndNothingIsDone() {
    assertEquals(1, run.command("put", "nothere", "/x"));
    assertEquals("luciola: no such file: " + folder.resolve("nothere") + "\n", run.err());
    assertEquals(1, run.command("get", "/nothere", "x"));
    assertTrue(run.err().startsWith("luciola: NOT_FOUND"), run.err());
    assertEquals(1, run.err().lines().count());
    assertFalse(Files.exists(folder.resolve("x")));
  }

  @Test
  void aRelativePathIsWrongUse() {
    assertEquals(2, run.command("ls", "data"));
    assertEquals("luciola: paths in Luciola are absolute: did you mean /data ?\n", run.err());
    assertEquals(2, run.command("rm", "-r", "/"));
    assertEquals(2, run.command("cat", "/a/../b"));
  }

  @Test
  void listsWithDetailsAndAsJson() throws IOException {
    sampleTree();
    run.command("put", "tree", "/data");
    assertEquals(0, run.command("ls", "-l", "/data"));
    assertTrue(run.out().contains("drwxr-xr-x"), run.out());
    assertTrue(run.out().contains("link -> a.txt"), run.out());
    assertEquals(0, run.command("ls", "-R", "--json", "/data"));
    for (String line : run.out().lines().toList()) {
      assertTrue(new JsonMapper().readTree(line).path("path").asText().startsWith("/data/"));
    }
    assertEquals(6, run.out().lines().count());
    assertEquals(0, run.command("stat", "/data/link"));
    assertTrue(run.out().contains("symlink"), run.out());
    assertEquals(0, run.command("stat", "--json", "/data/a.txt"));
    assertEquals(5, new JsonMapper().readTree(run.out()).path("length").asInt());
  }

  @Test
  void addsUpLengths() throws IOException {
    sampleTree();
    run.command("put", "tree", "/data");
    assertEquals(0, run.command("du", "--json", "-d", "1", "/data"));
    var lines = run.out().lines().toList();
    assertEquals(2, lines.size());
    var whole = new JsonMapper().readTree(lines.getLast());
    assertEquals(4, whole.path("files").asInt());
    int linkTarget = "a.txt".length();
    assertEquals(5 + 9 + 70_000 + linkTarget, whole.path("bytes").asInt());
  }

  @Test
  void movesAndRemoves() throws IOException {
    Files.writeString(folder.resolve("x"), "x");
    run.command("put", "x", "/x");
    assertEquals(0, run.command("mkdir", "/d"));
    assertEquals(1, run.command("mkdir", "/d"));
    assertEquals(0, run.command("mv", "/x", "/d"));
    assertEquals(1, run.command("rm", "/d"));
    assertTrue(run.err().contains("rm -r"), run.err());
    assertEquals(1, run.command("rm", "/nothere"));
    assertEquals(0, run.command("rm", "-f", "/nothere"));
    assertEquals(0, run.command("rm", "/d/x"));
    assertEquals(0, run.command("rm", "-r", "/d"));
    assertEquals(0, run.command("ls"));
    assertEquals("", run.out());
  }

  @Test
  void aCopyIntoItselfIsRefused() {
    run.command("mkdir", "-p", "/a/b");
    assertEquals(1, run.command("cp", "/a", "/a/b"));
    assertTrue(run.err().contains("into itself"), run.err());
  }

  @Test
  void withoutAClusterItSaysHowToGetOne() {
    var lost = new Run(new Kept()).in(folder);
    assertEquals(2, lost.command("ls"));
    assertTrue(lost.err().contains("luciola local up"), lost.err());
    assertEquals(2, lost.command("ls", "--cluster", "nonsense"));
    assertTrue(lost.err().contains("HOST:PORT"), lost.err());
  }

  private Path sampleTree() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("tree"));
    Files.createDirectories(tree.resolve("sub/empty"));
    Files.writeString(tree.resolve("a.txt"), "hello");
    Path script = Files.writeString(tree.resolve("sub/run.sh"), "#!/bin/sh");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-x--x"));
    Files.setLastModifiedTime(script, FileTime.from(Instant.ofEpochSecond(1_000_000_000)));
    byte[] noise = new byte[70_000];
    new Random(1).nextBytes(noise);
    Files.write(tree.resolve("sub/noise"), noise);
    Files.createSymbolicLink(tree.resolve("link"), Path.of("a.txt"));
    return tree;
  }

  private static Map<String, String> contents(Path root) throws IOException {
    var contents = new TreeMap<String, String>();
    try (Stream<Path> walk = Files.walk(root)) {
      for (Path path : walk.toList()) {
        String what =
            Files.isSymbolicLink(path)
                ? "-> " + Files.readSymbolicLink(path)
                : Files.isDirectory(path)
                    ? "directory"
                    : new String(Files.readAllBytes(path), UTF_8);
        contents.put(root.relativize(path).toString(), what);
      }
    }
    return contents;
  }
}
