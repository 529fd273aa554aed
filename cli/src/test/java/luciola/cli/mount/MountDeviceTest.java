package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import luciola.client.fuse.FuseSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What programs do on a mount; this process is such a program, another one serves the mount. */
@Timeout(300)
final class MountDeviceTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted mounted;

  @SuppressWarnings("NullAway.Init")
  private Path directory;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 3);
    mounted = cluster.mount("mnt");
  }

  @AfterAll
  static void unmount() throws IOException {
    if (mounted != null) {
      mounted.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void makeDirectory(TestInfo test) throws IOException {
    String name = test.getDisplayName().replaceAll("[^a-zA-Z0-9]", "");
    directory = Files.createDirectory(mounted.directory().resolve(name));
  }

  private static byte[] bytes(long seed, int length) {
    var bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatOneProgramWritesAnotherReads() throws Exception {
    byte[] content = bytes(1, 10_000_001);
    Path file = directory.resolve("file");
    Files.write(file, content);
    assertEquals(content.length, Files.size(file));
    assertArrayEquals(content, Files.readAllBytes(file));
    assertEquals(
        MountedCluster.sh(directory, "sha256sum < file"),
        MountedCluster.sh(directory, "cp file copy && sha256sum < copy"));
    assertEquals(0, Files.size(Files.createFile(directory.resolve("empty"))));
    assertArrayEquals(new byte[0], Files.readAllBytes(directory.resolve("empty")));
  }

  /** Before it is closed or synced, through descriptors of their own, past the page cache too. */
  @Test
  void writesAreSeenAtOnceByOthersThatHaveTheFileOpen() throws IOException {
    Path file = directory.resolve("file");
    try (FileChannel writer =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileChannel reader = FileChannel.open(file, StandardOpenOption.READ)) {
      for (int i = 0; i < 50; i++) {
        byte[] piece = bytes(i, 5000 + i);
        long at = 70_000L * i;
        writer.write(ByteBuffer.wrap(piece), at);
        assertEquals(at + piece.length, Files.size(file));
        ByteBuffer read = ByteBuffer.allocate(piece.length);
        assertEquals(piece.length, reader.read(read, at));
        assertArrayEquals(piece, read.array());
      }
      ByteBuffer hole = ByteBuffer.allocate(1000);
      assertEquals(1000, reader.read(hole, 60_000));
      assertArrayEquals(new byte[1000], hole.array());
    }
  }

  @Test
  void anUnlinkedFileLivesUntilItsLastClose() throws IOException {
    byte[] content = bytes(2, 300_000);
    Path file = Files.write(directory.resolve("file"), content);
    Path other = Files.write(directory.resolve("other"), bytes(3, 10));
    try (FileChannel reader = FileChannel.open(file, StandardOpenOption.READ);
        FileChannel writer =
            FileChannel.open(other, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Files.delete(file);
      Files.move(
          Files.createFile(directory.resolve("third")), other, StandardCopyOption.ATOMIC_MOVE);
      assertFalse(Files.exists(file));
      ByteBuffer read = ByteBuffer.allocate(content.length);
      while (read.hasRemaining() && reader.read(read, read.position()) > 0) {}
      assertArrayEquals(content, read.array());
      byte[] more = bytes(4, 50_000);
      writer.write(ByteBuffer.wrap(more), 100_000);
      writer.force(true);
      assertEquals(150_000, writer.size());
      ByteBuffer again = ByteBuffer.allocate(more.length);
      assertEquals(more.length, writer.read(again, 100_000));
      assertArrayEquals(more, again.array());
      assertEquals(0, Files.size(other));
    }
  }

  @Test
  void namesAreAsPosixSays() throws Exception {
    Path file = Files.write(directory.resolve("file"), bytes(5, 100));
    Path link = Files.createLink(directory.resolve("link"), file);
    assertEquals(2, Files.getAttribute(file, "unix:nlink"));
    assertEquals(Files.getAttribute(file, "unix:ino"), Files.getAttribute(link, "unix:ino"));
    Files.delete(file);
    assertEquals(1, Files.getAttribute(link, "unix:nlink"));
    assertArrayEquals(bytes(5, 100), Files.readAllBytes(link));
    Path symlink = Files.createSymbolicLink(directory.resolve("symlink"), Path.of("link"));
    assertEquals(Path.of("link"), Files.readSymbolicLink(symlink));
    assertArrayEquals(bytes(5, 100), Files.readAllBytes(symlink));
    Path sub = Files.createDirectory(directory.resolve("sub"));
    Path full = Files.createDirectories(directory.resolve("full/deep/er"));
    assertThrows(FileAlreadyExistsException.class, () -> Files.createDirectory(sub));
    assertThrows(FileAlreadyExistsException.class, () -> Files.createFile(link));
    assertThrows(NoSuchFileException.class, () -> Files.delete(directory.resolve("none")));
    assertThrows(DirectoryNotEmptyException.class, () -> Files.delete(directory.resolve("full")));
    assertThrows(
        FileSystemException.class,
        () -> Files.move(directory.resolve("full"), full, StandardCopyOption.ATOMIC_MOVE));
    assertThrows(
        FileSystemException.class, () -> Files.createFile(directory.resolve("n".repeat(256))));
    Files.createFile(directory.resolve("n".repeat(255)));
    MountedCluster.sh(directory, "mv -n sub full && test -d full/sub && rmdir full/sub");
  }

  @Test
  void attributesAreKept() throws Exception {
    Path file = Files.write(directory.resolve("file"), bytes(6, 100));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-x--x"));
    assertEquals("rwxr-x--x", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    Instant time = Instant.ofEpochSecond(1_000_000_000, 123_456_789);
    try (FileChannel writer = FileChannel.open(file, StandardOpenOption.WRITE)) {
      writer.write(ByteBuffer.wrap(bytes(7, 50)), 100);
      Files.setLastModifiedTime(file, FileTime.from(time));
    }
    assertEquals(FileTime.from(time), Files.getLastModifiedTime(file));
    assertEquals(150, Files.size(file));
    MountedCluster.sh(directory, "chown 12:34 file && test \"$(stat -c %u:%g file)\" = 12:34");
    Instant before = Files.getLastModifiedTime(directory).toInstant();
    Files.delete(file);
    assertTrue(Files.getLastModifiedTime(directory).toInstant().isAfter(before));
  }

  @Test
  void filesAreCutGrownAndAppendedTo() throws IOException {
    byte[] content = bytes(8, 9_000_000);
    Path file = Files.write(directory.resolve("file"), content);
    try (FileChannel writer =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      writer.truncate(5_000_000);
      assertEquals(5_000_000, Files.size(file));
      writer.write(ByteBuffer.wrap(new byte[] {1}), 8_999_999);
    }
    byte[] expected = Arrays.copyOf(Arrays.copyOf(content, 5_000_000), 9_000_000);
    expected[8_999_999] = 1;
    assertArrayEquals(expected, Files.readAllBytes(file));
    Files.write(file, bytes(9, 10), StandardOpenOption.APPEND);
    Files.write(file, bytes(10, 20), StandardOpenOption.APPEND);
    assertEquals(9_000_030, Files.size(file));
    Files.write(file, bytes(11, 5), StandardOpenOption.TRUNCATE_EXISTING);
    assertArrayEquals(bytes(11, 5), Files.readAllBytes(file));
  }

  @Test
  void aMappingReadsAndWrites() throws IOException {
    Path file = Files.write(directory.resolve("file"), bytes(12, 3_000_000));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer map = channel.map(MapMode.READ_WRITE, 0, 3_000_000);
      assertEquals(bytes(12, 3_000_000)[1_234_567], map.get(1_234_567));
      map.put(1_234_567, (byte) 77);
      map.put(2_999_999, (byte) 78);
      map.force();
    }
    byte[] expected = bytes(12, 3_000_000);
    expected[1_234_567] = 77;
    expected[2_999_999] = 78;
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  @Test
  void aLargeDirectoryIsListedAsAWholeAndRemoved() throws Exception {
    var expected = new TreeSet<String>();
    for (int i = 0; i < 2500; i++) {
      expected.add("a-file-with-a-name-" + i);
    }
    MountedCluster.sh(directory, "seq 0 2499 | sed 's/^/a-file-with-a-name-/' | xargs touch");
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(
          expected, new TreeSet<>(files.map(file -> String.valueOf(file.getFileName())).toList()));
    }
    MountedCluster.sh(directory, "rm -r ../" + directory.getFileName() + "/*");
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void spaceIsTold() throws Exception {
    var fields =
        Pattern.compile("\\s+")
            .splitAsStream(MountedCluster.sh(directory, "df -P --block-size=1 . | tail -1"))
            .toList();
    assertTrue(Long.parseLong(fields.get(1)) > 0);
    assertTrue(Long.parseLong(fields.get(3)) > 0);
    assertTrue(Long.parseLong(fields.get(3)) <= Long.parseLong(fields.get(1)));
  }

  @Test
  void rangesAreAllocatedAndPunched() throws Exception {
    Path file = Files.write(directory.resolve("file"), bytes(13, 100_000));
    MountedCluster.sh(directory, "fallocate -l 200000 file && fallocate -p -o 10000 -l 5000 file");
    byte[] expected = Arrays.copyOf(bytes(13, 100_000), 200_000);
    Arrays.fill(expected, 10_000, 15_000, (byte) 0);
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  /** The kernel checks by the attributes, the meta-server once more. */
  @Test
  void usersGetWhatPermissionsSay() throws Exception {
    Files.write(directory.resolve("mine"), bytes(14, 10));
    Files.setPosixFilePermissions(
        directory.resolve("mine"), PosixFilePermissions.fromString("rw-------"));
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    MountedCluster.sh(
        directory,
        "setpriv --reuid=1234 --regid=2345 --groups=3456 sh -euc '"
            + "! cat mine 2>/dev/null; ! touch new 2>/dev/null; echo x > open/theirs;"
            + "test \"$(stat -c %u:%g open/theirs)\" = 1234:2345'");
    MountedCluster.sh(directory, "chgrp 3456 open/theirs && chmod 0060 open/theirs");
    MountedCluster.sh(
        directory,
        "setpriv --reuid=99 --regid=98 --groups=3456 sh -euc 'echo y >> open/theirs;"
            + "cat open/theirs > /dev/null'");
  }

  /** The same steps on the mount and on a local directory: same results, same trees. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void randomStepsDoWhatALocalFileSystemDoes(long seed) throws Exception {
    Path local = Files.createDirectory(folder.resolve("local-" + seed));
    var steps = new RandomSteps(seed);
    for (int i = 0; i < 300; i++) {
      RandomSteps.Step step = steps.next();
      assertEquals(step.on(local), step.on(directory), () -> "seed=" + seed + " step=" + step);
    }
    assertEquals(RandomSteps.tree(local), RandomSteps.tree(directory));
  }

  @Test
  void anotherMountSeesWhatWasClosedAndWhatIsGone() throws IOException {
    try (MountedCluster.Mounted other = cluster.mount("other", "--attribute-millis=0")) {
      Path there = other.directory().resolve(String.valueOf(directory.getFileName()));
      for (int i = 0; i < 20; i++) {
        byte[] content = bytes(i, 40_000 + 7 * i);
        Files.write(directory.resolve("file"), content);
        assertArrayEquals(content, Files.readAllBytes(there.resolve("file")));
        byte[] back = bytes(100 + i, 40_000 + 7 * i);
        try (FileChannel channel =
            FileChannel.open(there.resolve("file"), StandardOpenOption.WRITE)) {
          channel.write(ByteBuffer.wrap(back), 0);
        }
        assertArrayEquals(back, Files.readAllBytes(directory.resolve("file")));
      }
      Files.delete(directory.resolve("file"));
      assertFalse(Files.exists(there.resolve("file")));
    }
  }

  @Test
  void aMountInUseIsNotTakenAwayButLazily() throws Exception {
    try (MountedCluster.Mounted busy = cluster.mount("busy")) {
      Path file = Files.write(busy.directory().resolve("busy-file"), bytes(15, 1000));
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        assertEquals(16, FuseSession.unmount(busy.directory(), false));
        assertEquals(0, FuseSession.unmount(busy.directory(), true));
        assertFalse(busy.isMounted());
        ByteBuffer read = ByteBuffer.allocate(1000);
        assertEquals(1000, channel.read(read, 0));
        assertArrayEquals(bytes(15, 1000), read.array());
      }
      assertTrue(busy.process().waitFor(30, TimeUnit.SECONDS), "ends with its last user");
      Files.delete(mounted.directory().resolve("busy-file"));
    }
  }

  @Test
  void aKilledMountGivesErrorsAndIsMountedAgain() throws Exception {
    try (MountedCluster.Mounted dying = cluster.mount("dying")) {
      Path file = Files.write(dying.directory().resolve("dying-file"), bytes(16, 1000));
      FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
      dying.process().destroyForcibly().waitFor();
      assertThrows(IOException.class, () -> channel.write(ByteBuffer.wrap(new byte[] {1}), 5000));
      assertThrows(IOException.class, channel::close);
      assertThrows(FileSystemException.class, () -> Files.readAllBytes(file));
      try (MountedCluster.Mounted again = cluster.mount("dying")) {
        assertArrayEquals(bytes(16, 1000), Files.readAllBytes(file));
        assertTrue(again.isMounted());
      }
    }
  }

  @Test
  void programsGoOnWhileServersDie() throws Exception {
    List<String> victims = List.of("storage-1", cluster.fleet().metaServers().getFirst());
    for (String victim : victims) {
      Process load =
          new ProcessBuilder(
                  "/bin/sh",
                  "-euc",
                  "for i in $(seq 60); do head -c 300000 /dev/urandom > f.$i;"
                      + " cp f.$i g.$i; cmp f.$i g.$i; rm g.$i; done")
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .start();
      MountedCluster.await("under way", () -> Files.exists(directory.resolve("f.5")));
      cluster.fleet().kill(victim);
      if (victim.startsWith("storage")) {
        // Nobody needs it; without the only meta-server nothing goes on.
        MountedCluster.await("goes on without it", () -> Files.exists(directory.resolve("f.20")));
      }
      cluster.fleet().start(victim);
      String output = new String(load.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, load.waitFor(), output);
      MountedCluster.sh(directory, "rm f.*");
    }
  }
}
