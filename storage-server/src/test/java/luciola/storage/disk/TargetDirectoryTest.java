package luciola.storage.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetDirectoryTest {
  @TempDir Path directory;

  private ErrorCode refusal() {
    return assertThrows(LuciolaException.class, () -> TargetDirectory.open(directory).close())
        .code();
  }

  @Test
  void anIdentityIsKeptAsText() throws IOException {
    try (TargetDirectory opened = TargetDirectory.open(directory)) {
      assertEquals(0, opened.number("uuid"));
      opened.put("uuid", -1);
      opened.bindCluster(0xabc);
    }
    assertEquals(
        "cluster=abc\nformat=3\nhome=" + directory.toRealPath() + "\nuuid=ffffffffffffffff\n",
        Files.readString(directory.resolve("identity")));
    try (TargetDirectory opened = TargetDirectory.open(directory)) {
      assertEquals(-1, opened.number("uuid"));
      opened.bindCluster(0xabc);
      LuciolaException other =
          assertThrows(LuciolaException.class, () -> opened.bindCluster(0xabd));
      assertEquals(ErrorCode.WRONG_CLUSTER, other.code());
    }
  }

  @Test
  void aDirectoryInUseANewerFormatAndAnUnreadableIdentityAreRefused() throws IOException {
    try (TargetDirectory opened = TargetDirectory.open(directory)) {
      assertEquals(directory, opened.path());
      assertEquals(ErrorCode.INVALID_ARGUMENT, refusal());
    }
    Files.writeString(directory.resolve("identity"), "format=4\n");
    assertEquals(ErrorCode.FORMAT_TOO_NEW, refusal());
    Files.writeString(directory.resolve("identity"), "format=1\n");
    assertEquals(ErrorCode.UNSUPPORTED, refusal());
    Files.writeString(directory.resolve("identity"), "format\n");
    assertEquals(ErrorCode.CORRUPT_DATA, refusal());
  }

  @Test
  void aDirectoryOfTheFormatBeforeIsOfThePresentOneOnceItWasOpened() throws IOException {
    Files.writeString(directory.resolve("identity"), "format=2\nuuid=5\n");
    try (TargetDirectory opened = TargetDirectory.open(directory)) {
      assertEquals(5, opened.number("uuid"));
    }
    assertEquals(
        "format=3\nhome=" + directory.toRealPath() + "\nuuid=5\n",
        Files.readString(directory.resolve("identity")));
  }

  @Test
  void aCopyIsRefusedWhileTheOriginalIsThereAndAMovedDirectoryIsNot() throws IOException {
    Path original = Files.createDirectory(directory.resolve("a"));
    Path other = Files.createDirectory(directory.resolve("b"));
    try (TargetDirectory opened = TargetDirectory.open(original)) {
      opened.put("uuid", 77);
    }
    Files.copy(original.resolve("identity"), other.resolve("identity"));
    LuciolaException copy =
        assertThrows(LuciolaException.class, () -> TargetDirectory.open(other).close());
    assertEquals(ErrorCode.INVALID_ARGUMENT, copy.code());
    Path link = Files.createSymbolicLink(directory.resolve("link"), original);
    TargetDirectory.open(link).close();
    Files.delete(original.resolve("identity"));
    TargetDirectory.open(other).close();
    // It is at home there from now on: what comes back under the old path is the copy.
    Files.copy(other.resolve("identity"), original.resolve("identity"));
    assertThrows(LuciolaException.class, () -> TargetDirectory.open(original).close());
    try (TargetDirectory opened = TargetDirectory.open(other)) {
      assertEquals(77, opened.number("uuid"));
    }
  }
}
