package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Extended attributes of files on a mount. */
@Timeout(300)
final class ExtendedAttributesDeviceTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted mounted;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 1);
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

  private static byte[] read(UserDefinedFileAttributeView view, String name) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(view.size(name));
    view.read(name, value);
    assertEquals(0, value.remaining());
    return value.array();
  }

  private static UserDefinedFileAttributeView view(Path file) {
    return Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
  }

  @Test
  void attributesAreSetReadListedAndRemoved() throws IOException {
    for (Path path :
        List.of(
            Files.createFile(mounted.directory().resolve("file")),
            Files.createDirectory(mounted.directory().resolve("directory")))) {
      UserDefinedFileAttributeView view = view(path);
      assertEquals(List.of(), view.list());
      var large = new byte[60_000];
      new Random(1).nextBytes(large);
      view.write("large", ByteBuffer.wrap(large));
      view.write("small", ByteBuffer.wrap(new byte[] {1}));
      view.write("small", ByteBuffer.wrap(new byte[] {1, 2, 3}));
      view.write("empty", ByteBuffer.allocate(0));
      assertEquals(new TreeSet<>(List.of("large", "small", "empty")), new TreeSet<>(view.list()));
      assertArrayEquals(large, read(view, "large"));
      assertArrayEquals(new byte[] {1, 2, 3}, read(view, "small"));
      assertEquals(0, view.size("empty"));
      assertThrows(IOException.class, () -> view.read("large", ByteBuffer.allocate(59_999)));
      assertThrows(FileSystemException.class, () -> view.size("none"));
      assertThrows(FileSystemException.class, () -> view.delete("none"));
      String tooMuch =
          String.valueOf(
              assertThrows(
                      FileSystemException.class,
                      () -> view.write("more", ByteBuffer.allocate(10_000)))
                  .getReason());
      assertEquals(true, tooMuch.contains("No space left"), tooMuch);
      view.delete("large");
      view.write("more", ByteBuffer.allocate(10_000));
      view.delete("empty");
      assertEquals(new TreeSet<>(List.of("small", "more")), new TreeSet<>(view.list()));
    }
  }

  @Test
  void programsAndOtherMountsSeeThem() throws Exception {
    Path file = Files.write(mounted.directory().resolve("shared"), new byte[] {1, 2, 3});
    UserDefinedFileAttributeView view = view(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        MountedCluster.Mounted other = cluster.mount("other")) {
      view.write("label", ByteBuffer.wrap(new byte[] {7}));
      channel.write(ByteBuffer.wrap(new byte[] {4, 5, 6}), 3);
      channel.force(true);
      assertArrayEquals(new byte[] {7}, read(view, "label"));
      UserDefinedFileAttributeView there = view(other.directory().resolve("shared"));
      assertArrayEquals(new byte[] {7}, read(there, "label"));
      there.write("label", ByteBuffer.wrap(new byte[] {8, 9}));
      assertArrayEquals(new byte[] {8, 9}, read(view, "label"));
    }
    MountedCluster.sh(mounted.directory(), "cp --preserve=all shared copy");
    assertArrayEquals(new byte[] {8, 9}, read(view(mounted.directory().resolve("copy")), "label"));
    assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6}, Files.readAllBytes(file));
  }
}
