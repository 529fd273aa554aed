package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import luciola.client.AttributeChange;
import luciola.client.FileStat;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies that leave out what is there, go on where they ended, and notice what goes wrong. */
class SyncCommandTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;
  private final MemoryFileSystem fs = new MemoryFileSystem();

  private Run run() {
    return run((_, _) -> {});
  }

  private Run run(Meddled.Before before) {
    return new Run(Meddled.with(fs, before)).with("LUCIOLA_CLUSTER", "memory:1").in(folder);
  }

  /** Runs a command with {@code --json}, which must end so; what it says. */
  private JsonNode sums(int exit, Run run, String... args) throws IOException {
    List<String> all = new ArrayList<>(Arrays.asList(args));
    all.add("--json");
    assertEquals(exit, run.command(all.toArray(String[]::new)), run.err());
    return new JsonMapper().readTree(run.out().lines().toList().getLast());
  }

  private static void assertSums(
      JsonNode sums, long files, long links, long leftOut, long changed) {
    assertEquals(
        List.of(files, links, leftOut, changed),
        Stream.of("files", "links", "leftOut", "changed")
            .map(name -> sums.path(name).asLong())
            .toList(),
        sums.toString());
  }

  private Path sampleTree() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("tree"));
    Files.createDirectories(tree.resolve("sub/empty"));
    Files.writeString(tree.resolve("a.txt"), "hello");
    Path script = Files.writeString(tree.resolve("sub/run.sh"), "#!/bin/sh");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("r-xr-x--x"));
    byte[] noise = new byte[3 * MIB + 70_000];
    new Random(1).nextBytes(noise);
    Files.write(tree.resolve("sub/noise"), noise);
    Path link = Files.createSymbolicLink(tree.resolve("link"), Path.of("a.txt"));
    FileTime old = FileTime.from(Instant.ofEpochSecond(1_000_000_000, 123_456_789));
    for (Path each : List.of(script, link, tree.resolve("sub/empty"), tree.resolve("sub"))) {
      Files.getFileAttributeView(each, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .setTimes(old, null, null);
    }
    Files.setPosixFilePermissions(
        tree.resolve("sub/empty"), PosixFilePermissions.fromString("r-xr-x---"));
    return tree;
  }

  /** Everything that a copy keeps. */
  private static Map<String, String> picture(Path root) throws IOException {
    Map<String, String> picture = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(root)) {
      for (Path path : walk.toList()) {
        PosixFileAttributes found =
            Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        String what =
            found.isSymbolicLink()
                ? "-> " + Files.readSymbolicLink(path)
                : PosixFilePermissions.toString(found.permissions())
                    + (found.isDirectory() ? "" : " " + Arrays.hashCode(Files.readAllBytes(path)));
        picture.put(root.relativize(path).toString(), what + " " + found.lastModifiedTime());
      }
    }
    return picture;
  }

  @Test
  void aTreeGoesAndComesBackAsItWas() throws IOException {
    Path tree = sampleTree();
    Run run = run();
    assertSums(sums(0, run, "sync", "tree", "luciola:/data", "--piece-mib", "1"), 3, 1, 0, 0);
    assertSums(sums(0, run, "sync", "luciola:/data", "back", "--piece-mib", "1"), 3, 1, 0, 0);
    assertEquals(picture(tree), picture(folder.resolve("back")));
    JsonNode again = sums(0, run, "sync", "tree", "luciola:/data", "--verify");
    assertSums(again, 0, 0, 3, 0);
    assertEquals(0, again.path("copiedBytes").asLong());
    assertEquals(5 + 9 + 3 * MIB + 70_000, again.path("leftOutBytes").asLong());
    assertSums(sums(0, run, "sync", "luciola:/data", "back", "--delete"), 0, 0, 3, 0);
    assertEquals(picture(tree), picture(folder.resolve("back")));
    JsonNode put = sums(0, run, "put", "tree", "/put", "--verify", "--piece-mib", "1");
    assertEquals(3, put.path("verified").asLong());
    JsonNode get = sums(0, run, "get", "/put", "got", "--verify", "--piece-mib", "1", "-j", "3");
    assertEquals(3, get.path("verified").asLong());
    assertEquals(picture(tree), picture(folder.resolve("got")));
  }

  @Test
  void onlyWhatDiffersIsCopied() throws IOException {
    Path tree = sampleTree();
    Run run = run();
    sums(0, run, "sync", "tree", "luciola:/data");
    Files.writeString(tree.resolve("a.txt"), "longer than before");
    Files.setPosixFilePermissions(
        tree.resolve("sub/noise"), PosixFilePermissions.fromString("rw-------"));
    Files.writeString(tree.resolve("new"), "new");
    Files.delete(tree.resolve("link"));
    Files.createSymbolicLink(tree.resolve("link"), Path.of("new"));
    assertSums(sums(0, run, "sync", "tree", "luciola:/data"), 2, 1, 2, 2);
    assertEquals(0, run.command("get", "/data", "back"), run.err());
    assertEquals(picture(tree), picture(folder.resolve("back")));
  }

  @Test
  void checksumsTellWhatTimesDoNot() throws IOException {
    Path tree = sampleTree();
    Run run = run();
    sums(0, run, "sync", "tree", "luciola:/data");
    Path noise = tree.resolve("sub/noise");
    FileTime time = Files.getLastModifiedTime(noise);
    byte[] bytes = Files.readAllBytes(noise);
    bytes[2 * MIB] ^= 1;
    Files.write(noise, bytes);
    Files.setLastModifiedTime(noise, time);
    Files.setLastModifiedTime(tree.resolve("a.txt"), FileTime.fromMillis(5));
    assertSums(sums(0, run, "sync", "tree", "luciola:/data", "--dry-run"), 1, 0, 2, 0);
    assertSums(sums(0, run, "sync", "tree", "luciola:/data", "--checksum"), 1, 0, 2, 1);
    assertEquals(0, run.command("get", "/data", "back"), run.err());
    assertEquals(picture(tree), picture(folder.resolve("back")));
    bytes[5] ^= 1;
    Files.write(folder.resolve("back/sub/noise"), bytes);
    Files.setLastModifiedTime(folder.resolve("back/sub/noise"), time);
    assertSums(sums(0, run, "sync", "luciola:/data", "back", "--checksum"), 1, 0, 2, 0);
    assertEquals(picture(tree), picture(folder.resolve("back")));
  }

  @Test
  void whatTheSourceLacksGoesOnlyWhenAsked() throws IOException {
    Path tree = sampleTree();
    Run run = run();
    sums(0, run, "sync", "tree", "luciola:/data");
    Files.createDirectories(folder.resolve("more/deep"));
    Files.writeString(folder.resolve("more/deep/x"), "x");
    sums(0, run, "put", "more", "/data/sub/more");
    Files.delete(tree.resolve("a.txt"));
    sums(0, run, "sync", "tree", "luciola:/data");
    assertTrue(fs.find("/data/a.txt").isPresent());
    assertEquals(0, run.command("sync", "tree", "luciola:/data", "--delete", "-n"), run.err());
    assertTrue(run.out().contains("delete /data/a.txt\n"), run.out());
    assertTrue(run.out().contains("delete /data/sub/more\n"), run.out());
    assertTrue(fs.find("/data/a.txt").isPresent());
    JsonNode sums = sums(0, run, "sync", "tree", "luciola:/data", "--delete");
    assertEquals(2, sums.path("deleted").asLong());
    assertTrue(fs.find("/data/a.txt").isEmpty());
    assertEquals(0, run.command("get", "/data", "back"), run.err());
    assertEquals(picture(tree), picture(folder.resolve("back")));
    Files.createDirectories(folder.resolve("back/other/deep"));
    Files.writeString(folder.resolve("back/other/deep/y"), "y");
    assertEquals(
        1, sums(0, run, "sync", "luciola:/data", "back", "--delete").path("deleted").asLong());
    assertEquals(picture(tree), picture(folder.resolve("back")));
  }

  @Test
  void nothingIsDeletedAfterAFailure() throws IOException {
    sampleTree();
    sums(0, run(), "sync", "tree", "luciola:/data");
    Files.delete(folder.resolve("tree/link"));
    Files.writeString(folder.resolve("tree/a.txt"), "changed");
    Run failing =
        run((method, path) -> {
          if (method.equals("begin")) {
            throw new LuciolaException(ErrorCode.PERMISSION_DENIED, "begin: path=" + path);
          }
        });
    JsonNode sums = sums(3, failing, "sync", "tree", "luciola:/data", "--delete");
    assertEquals(1, sums.path("failures").asLong());
    assertEquals(0, sums.path("deleted").asLong());
    assertEquals("a.txt", fs.readLink("/data/link"));
    assertTrue(failing.err().contains("PERMISSION_DENIED"), failing.err());
  }

  @Test
  void aDirectoryInTheWayNeedsADelete() throws IOException {
    Path tree = sampleTree();
    Run run = run();
    fs.mkdirs("/data/a.txt/below");
    sums(0, run, "put", "tree/a.txt", "/data/sub");
    assertSums(sums(3, run, "sync", "tree", "luciola:/data"), 2, 1, 0, 1);
    assertTrue(run.err().contains("--delete"), run.err());
    assertSums(sums(0, run, "sync", "tree", "luciola:/data", "--delete"), 1, 0, 2, 0);
    assertEquals(0, run.command("get", "/data", "back"), run.err());
    assertEquals(picture(tree), picture(folder.resolve("back")));
  }

  @Test
  void aDryRunChangesNothing() throws IOException {
    sampleTree();
    Run run = run();
    assertEquals(0, run.command("sync", "tree", "luciola:/data", "--dry-run"), run.err());
    assertEquals(
        List.of(
            "copy /data/a.txt",
            "copy /data/sub/noise",
            "copy /data/sub/run.sh",
            "directory /data",
            "directory /data/sub",
            "directory /data/sub/empty",
            "link /data/link"),
        run.out().lines().sorted().toList());
    assertEquals(List.of(), fs.list("/"));
    sums(0, run, "sync", "tree", "luciola:/data");
    assertEquals(0, run.command("sync", "luciola:/data", "back", "-n"), run.err());
    assertFalse(Files.exists(folder.resolve("back")));
  }

  @Test
  void aBegunFileIsGoneOnWith() throws IOException {
    byte[] bytes = new byte[8 * MIB + 5];
    new Random(3).nextBytes(bytes);
    Files.write(folder.resolve("big"), bytes);
    AtomicInteger opened = new AtomicInteger();
    Run ends =
        run((method, path) -> {
          // The file and its state are made, then a piece each is opened: the sixth fails.
          if (method.equals("openWrite") && opened.incrementAndGet() == 8) {
            throw new LuciolaException(ErrorCode.CONNECTION_LOST, "openWrite: path=" + path);
          }
        });
    JsonNode first = sums(1, ends, "put", "big", "/big", "--resume", "--piece-mib", "1", "-j", "1");
    assertEquals(5 * MIB, first.path("copiedBytes").asLong());
    assertTrue(fs.find("/big").isEmpty());
    JsonNode second = sums(0, run(), "put", "big", "/big", "--resume", "--piece-mib", "1");
    assertEquals(5 * MIB, second.path("resumedBytes").asLong());
    assertEquals(3 * MIB + 5, second.path("copiedBytes").asLong());
    assertEquals(List.of("big"), names());
    opened.set(0);
    Run endsToo =
        run((method, path) -> {
          if (method.equals("openRead") && opened.incrementAndGet() == 4) {
            throw new LuciolaException(ErrorCode.CONNECTION_LOST, "openRead: path=" + path);
          }
        });
    JsonNode third =
        sums(1, endsToo, "sync", "luciola:/big", "back", "--piece-mib", "1", "-j", "1");
    assertEquals(3 * MIB, third.path("copiedBytes").asLong());
    // What a crash of the machine took away again is noticed and copied once more.
    try (Stream<Path> parts = Files.list(folder)) {
      Path part = parts.filter(path -> path.toString().endsWith(".part")).findAny().orElseThrow();
      byte[] there = Files.readAllBytes(part);
      Arrays.fill(there, MIB, 2 * MIB, (byte) 0);
      Files.write(part, there);
    }
    JsonNode fourth = sums(0, run(), "sync", "luciola:/big", "back", "--piece-mib", "1");
    assertEquals(2 * MIB, fourth.path("resumedBytes").asLong());
    assertEquals(-1, Files.mismatch(folder.resolve("big"), folder.resolve("back")));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(2, left.count());
    }
  }

  private List<String> names() {
    return fs.list("/").stream().map(entry -> entry.name()).toList();
  }

  @Test
  void withoutResumeNothingOfAFailedCopyStays() throws IOException {
    Files.write(folder.resolve("big"), new byte[4 * MIB]);
    Run ends =
        run((method, path) -> {
          if (method.equals("rename")) {
            throw new LuciolaException(ErrorCode.INTERNAL, "rename: path=" + path);
          }
        });
    sums(1, ends, "put", "big", "/big", "--piece-mib", "1");
    assertEquals(List.of(), names());
  }

  @Test
  void aFileThatChangesMeanwhileGetsNoName() throws IOException {
    Path big = Files.write(folder.resolve("big"), new byte[4 * MIB]);
    Path small = Files.write(folder.resolve("small"), new byte[100]);
    for (Path source : List.of(big, small)) {
      Run run =
          run((method, _) -> {
            if (method.equals("openWrite") || method.equals("begin")) {
              Files.write(source, new byte[(int) Files.size(source) + 1]);
            }
          });
      String name = source.getFileName().toString();
      JsonNode sums = sums(1, run, "put", name, "/", "--piece-mib", "1");
      assertTrue(sums.path("failed").get(0).asText().contains("changed"), sums.toString());
      assertEquals(List.of(), names());
    }
    Files.write(big, new byte[4 * MIB]);
    sums(0, run(), "put", "big", "/");
    Run cut =
        run((method, path) -> {
          if (method.equals("openRead")) {
            try (WritableFile file = fs.openWrite(path, OpenOptions.EXISTING)) {
              file.truncate(3 * MIB);
            }
          }
        });
    sums(1, cut, "get", "/big", "back", "--piece-mib", "1");
    assertTrue(cut.err().contains("changed while it was copied"), cut.err());
    assertFalse(Files.exists(folder.resolve("back")));
  }

  @Test
  void aFullDiskIsToldAndNothingHalfDoneStays() throws IOException {
    MemoryFileSystem small = new MemoryFileSystem(6L * MIB, () -> 1);
    byte[] bytes = new byte[8 * MIB];
    new Random(1).nextBytes(bytes);
    Files.write(folder.resolve("big"), bytes);
    Files.writeString(folder.resolve("small"), "small");
    Run run =
        new Run(Meddled.with(small, (_, _) -> {})).with("LUCIOLA_CLUSTER", "memory:1").in(folder);
    JsonNode sums =
        sums(3, run, "put", "big", "small", "/", "--resume", "--piece-mib", "1", "-j", "1");
    assertTrue(sums.path("failed").get(0).asText().contains("NO_SPACE"), sums.toString());
    assertEquals(1, small.list("/").size());
    assertEquals("small", small.list("/").getFirst().name());
  }

  @Test
  void whatReadsBackOtherwiseIsRefused() throws IOException {
    Files.write(folder.resolve("big"), new byte[3 * MIB]);
    Files.write(folder.resolve("small"), new byte[100]);
    Meddled.Before rotsInPieces =
        (method, path) -> {
          if (method.equals("openRead")) {
            try (WritableFile file = fs.openWrite(path, OpenOptions.EXISTING)) {
              file.write(50, new byte[] {1});
            }
          }
        };
    Run run =
        new Run(Meddled.with(fs, rotsInPieces, Rotting::new))
            .with("LUCIOLA_CLUSTER", "memory:1")
            .in(folder);
    JsonNode sums = sums(1, run, "put", "big", "small", "/", "--verify", "--piece-mib", "1");
    assertEquals(2, sums.path("failures").asLong());
    assertEquals(0, sums.path("verified").asLong());
    assertTrue(sums.path("failed").get(0).asText().contains("CORRUPT_DATA"), sums.toString());
    assertEquals(List.of(), names());
  }

  @Test
  void wrongArgumentsAreRefusedBeforeAnythingIsDone() throws IOException {
    sampleTree();
    Run run = run();
    for (List<String> wrong :
        List.of(
            List.of("sync", "tree", "other"),
            List.of("sync", "luciola:/a", "luciola:/b"),
            List.of("sync", "tree", "luciola:a"),
            List.of("sync", "tree", "luciola:/a/../b"),
            List.of("sync", "tree"),
            List.of("sync", "tree", "luciola:/a", "-j", "0"),
            List.of("put", "tree", "/a", "-j", "257"),
            List.of("put", "tree", "/a", "--piece-mib", "0"),
            List.of("get", "/a", "b", "--delete"))) {
      assertEquals(2, run.command(wrong.toArray(String[]::new)), wrong + run.err());
    }
    assertEquals(1, run.command("sync", "nothere", "luciola:/a"));
    assertEquals(1, run.command("sync", "luciola:/nothere", "b"));
    assertEquals(List.of(), names());
  }

  /** A new file that reads back otherwise than it was written. */
  private record Rotting(NewFile file) implements NewFile {
    @Override
    public String path() {
      return file.path();
    }

    @Override
    public void write(long offset, MemorySegment from) {
      file.write(offset, from);
    }

    @Override
    public CompletableFuture<Long> read(long offset, MemorySegment into) {
      return file.read(offset, into)
          .thenApply(count -> {
            into.set(ValueLayout.JAVA_BYTE, 50, (byte) 1);
            return count;
          });
    }

    @Override
    public FileStat publish(AttributeChange as) {
      return file.publish(as);
    }

    @Override
    public void close() {
      file.close();
    }
  }
}
