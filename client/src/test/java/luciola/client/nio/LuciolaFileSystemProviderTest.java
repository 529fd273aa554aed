package luciola.client.nio;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class LuciolaFileSystemProviderTest {
  private final LuciolaNioFileSystem fs =
      LuciolaFileSystemProvider.over(new MemoryFileSystem(), "meta:7000");
  private final Path root = fs.getPath("/");

  @AfterEach
  void close() throws IOException {
    fs.close();
    assertFalse(fs.isOpen());
  }

  @Test
  void writesAndReadsWholeFiles() throws IOException {
    Path file = root.resolve("a.bin");
    byte[] bytes = new byte[300_000];
    new Random(1).nextBytes(bytes);
    Files.write(file, bytes);
    assertArrayEquals(bytes, Files.readAllBytes(file));
    assertEquals(bytes.length, Files.size(file));
    try (InputStream in = Files.newInputStream(file)) {
      assertArrayEquals(bytes, in.readAllBytes());
    }
    Files.writeString(file, "näxt\nline");
    assertEquals(List.of("näxt", "line"), Files.readAllLines(file));
    Files.writeString(file, "!", StandardOpenOption.APPEND);
    assertEquals("näxt\nline!", Files.readString(file));
  }

  @Test
  void walksListsAndMatches() throws IOException {
    Files.createDirectories(root.resolve("x/y"));
    Files.writeString(root.resolve("x/1.txt"), "1");
    Files.writeString(root.resolve("x/y/2.txt"), "22");
    Files.writeString(root.resolve("x/y/3.bin"), "333");
    try (Stream<Path> walk = Files.walk(root)) {
      assertEquals(
          List.of("/", "/x", "/x/1.txt", "/x/y", "/x/y/2.txt", "/x/y/3.bin"),
          walk.map(Path::toString).toList());
    }
    try (DirectoryStream<Path> some = Files.newDirectoryStream(root.resolve("x/y"), "*.txt")) {
      List<String> names = new ArrayList<>();
      some.forEach(path -> names.add(path.getFileName().toString()));
      assertEquals(List.of("2.txt"), names);
    }
    assertThrows(NotDirectoryException.class, () -> Files.list(root.resolve("x/1.txt")).close());
  }

  @Test
  void copiesAndMoves() throws IOException {
    Path a = root.resolve("a");
    Path b = root.resolve("b");
    Files.writeString(a, "one");
    Files.setLastModifiedTime(a, FileTime.fromMillis(1000));
    Files.copy(a, b, StandardCopyOption.COPY_ATTRIBUTES);
    assertEquals("one", Files.readString(b));
    assertEquals(FileTime.fromMillis(1000), Files.getLastModifiedTime(b));
    assertThrows(FileAlreadyExistsException.class, () -> Files.copy(a, b));
    assertThrows(FileAlreadyExistsException.class, () -> Files.move(a, b));
    Files.writeString(a, "two");
    Files.move(a, b, StandardCopyOption.ATOMIC_MOVE);
    assertEquals("two", Files.readString(b));
    assertTrue(Files.notExists(a));
    Files.createDirectory(a);
    Files.move(b, a, StandardCopyOption.REPLACE_EXISTING);
    assertEquals("two", Files.readString(a));
    assertThrows(NoSuchFileException.class, () -> Files.move(b, a));
  }

  @Test
  void copiesFromAndToTheDefaultFileSystem() throws IOException {
    Path outside = Files.createTempFile("luciola", ".txt");
    try {
      Files.writeString(outside, "outside");
      Path inside = root.resolve("inside");
      Files.copy(outside, inside);
      assertEquals("outside", Files.readString(inside));
      Files.writeString(inside, "back");
      Files.copy(inside, outside, StandardCopyOption.REPLACE_EXISTING);
      assertEquals("back", Files.readString(outside));
    } finally {
      Files.delete(outside);
    }
  }

  @Test
  void deletesWhatIsEmpty() throws IOException {
    Files.createDirectories(root.resolve("d/e"));
    assertThrows(DirectoryNotEmptyException.class, () -> Files.delete(root.resolve("d")));
    Files.delete(root.resolve("d/e"));
    assertTrue(Files.deleteIfExists(root.resolve("d")));
    assertFalse(Files.deleteIfExists(root.resolve("d")));
    Path temporary = root.resolve("t");
    FileChannel.open(
            temporary,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.DELETE_ON_CLOSE)
        .close();
    assertTrue(Files.notExists(temporary));
  }

  @Test
  void keepsAttributesAndLinks() throws IOException {
    Path file = root.resolve("f");
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")));
    assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertTrue(Files.isExecutable(file));
    assertEquals(0L, Files.getAttribute(file, "size"));
    assertEquals("0", Files.getOwner(file).getName());
    Path link = root.resolve("link");
    Files.createSymbolicLink(link, fs.getPath("f"));
    assertTrue(Files.isSymbolicLink(link));
    assertEquals(fs.getPath("f"), Files.readSymbolicLink(link));
    assertTrue(Files.isRegularFile(link));
    assertFalse(Files.isRegularFile(link, LinkOption.NOFOLLOW_LINKS));
    assertTrue(Files.isSameFile(file, link));
    Path second = root.resolve("second");
    Files.createLink(second, file);
    assertEquals(
        Files.readAttributes(file, BasicFileAttributes.class).fileKey(),
        Files.readAttributes(second, BasicFileAttributes.class).fileKey());
    assertTrue(Files.getFileStore(file).getTotalSpace() > 0);
  }

  @Test
  void channelsReadAndWriteAnywhere() throws IOException {
    Path file = root.resolve("c");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE_NEW)) {
      assertEquals(5, channel.write(ascii("hello")));
      assertEquals(5, channel.position());
      channel.write(ascii("HE"), 0);
      ByteBuffer direct = ByteBuffer.allocateDirect(3);
      assertEquals(3, channel.read(direct, 1));
      assertEquals("Ell", text(direct));
      ByteBuffer heap = ByteBuffer.allocate(100);
      channel.position(0);
      assertEquals(5, channel.read(heap));
      assertEquals("HEllo", text(heap));
      assertEquals(-1, channel.read(ByteBuffer.allocate(1)));
      channel.truncate(2);
      assertEquals(2, channel.size());
      assertEquals(2, channel.position());
      channel.force(true);
      channel.position(4).write(ascii("x"));
    }
    assertArrayEquals(new byte[] {'H', 'E', 0, 0, 'x'}, Files.readAllBytes(file));
    try (FileChannel channel = FileChannel.open(file)) {
      assertThrows(NonWritableChannelException.class, () -> channel.write(ascii("x")));
      ByteBuffer[] parts = {ByteBuffer.allocate(1), ByteBuffer.allocate(10)};
      assertEquals(5, channel.read(parts));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      assertThrows(NonReadableChannelException.class, () -> channel.read(ascii("x")));
    }
  }

  @Test
  void pathsFollowTheRules() {
    assertEquals(fs.getPath("/a/c"), fs.getPath("/a/./b/../c").normalize());
    assertEquals(fs.getPath("/c"), fs.getPath("/../c").normalize());
    assertEquals(fs.getPath("../x"), fs.getPath("/a/b").relativize(fs.getPath("/a/x")));
    assertEquals(fs.getPath("b/c"), fs.getPath("/a").relativize(fs.getPath("/a/b/c")));
    assertEquals(fs.getPath("/a/b"), fs.getPath("/a").resolve("b"));
    assertEquals(fs.getPath("/b"), fs.getPath("/a").resolve("/b"));
    assertEquals("/a/b", fs.getPath("/a/", "b/").toString());
    assertEquals(fs.getPath("/a"), fs.getPath("/a/b").getParent());
    assertEquals(root, fs.getPath("/a").getParent());
    assertEquals(2, fs.getPath("/a/b").getNameCount());
    assertTrue(fs.getPath("/a/b").startsWith("/a"));
    assertFalse(fs.getPath("/ab").startsWith("/a"));
    assertTrue(fs.getPath("/a/b").endsWith("b"));
    assertTrue(fs.getPath("").toAbsolutePath().equals(root));
    assertEquals(URI.create("luciola://meta:7000/a%20b"), fs.getPath("/a b").toUri());
  }

  @Test
  void isFoundByItsScheme() {
    assertTrue(
        FileSystemProvider.installedProviders().stream()
            .anyMatch(provider -> provider.getScheme().equals("luciola")));
    URI unknown = URI.create("luciola://127.0.0.1:1/");
    assertThrows(FileSystemNotFoundException.class, () -> FileSystems.getFileSystem(unknown));
    assertEquals(fs.getPath("/x"), fs.provider().getPath(URI.create("luciola://meta:7000/x")));
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String text(ByteBuffer filled) {
    filled.flip();
    return StandardCharsets.US_ASCII.decode(filled).toString();
  }
}
