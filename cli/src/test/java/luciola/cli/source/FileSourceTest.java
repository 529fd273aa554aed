package luciola.cli.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import luciola.protocol.error.LuciolaException;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSourceTest {
  private static final Map<String, String> FILES =
      Map.of("a/one.txt", "1", "a/b/two.txt", "22", "three", "");

  @TempDir Path dir;

  @Test
  void readsADirectoryATarAGzippedTarAndAZipAlike() throws IOException {
    Path tree = dir.resolve("tree");
    for (var file : FILES.entrySet()) {
      Path path = tree.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    Path tar = Files.write(dir.resolve("x.tar"), tarOf(FILES));
    var zipped = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(zipped)) {
      gzip.write(tarOf(FILES));
    }
    Path tgz = Files.write(dir.resolve("x.tgz"), zipped.toByteArray());
    Path zip = dir.resolve("x.zip");
    try (OutputStream out = Files.newOutputStream(zip);
        var archive = new ZipOutputStream(out)) {
      for (var file : FILES.entrySet()) {
        archive.putNextEntry(new ZipEntry(file.getKey()));
        archive.write(file.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    for (Path path : new Path[] {tree, tar, tgz, zip}) {
      assertEquals(FILES, contents(path, 99), path.toString());
      assertEquals(2, contents(path, 2).size(), path.toString());
    }
  }

  @Test
  void readsOneFileUnderItsOwnName() throws IOException {
    Path file = Files.writeString(dir.resolve("plain.bin"), "abc");
    assertEquals(Map.of("plain.bin", "abc"), contents(file, 1));
  }

  @Test
  void refusesNamesThatLeaveTheTree() throws IOException {
    Path tar = Files.write(dir.resolve("evil.tar"), tarOf(Map.of("a/../../etc/passwd", "x")));
    IOException error = assertThrows(IOException.class, () -> contents(tar, 9));
    assertTrue(String.valueOf(error.getMessage()).contains("unsafe name"), error.toString());
  }

  @Test
  void saysWhatIsMissing() {
    Path missing = dir.resolve("nothing");
    var error = assertThrows(LuciolaException.class, () -> FileSource.open(missing));
    assertTrue(String.valueOf(error.getMessage()).contains(missing.toString()), error.toString());
  }

  private static Map<String, String> contents(Path path, int filesMax) throws IOException {
    var found = new LinkedHashMap<String, String>();
    FileSource.open(path)
        .visit(
            filesMax,
            (name, bytes, content) -> {
              byte[] read = content.readAllBytes();
              assertEquals(bytes, read.length);
              found.put(name, new String(read, StandardCharsets.UTF_8));
            });
    return found;
  }

  private static byte[] tarOf(Map<String, String> files) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes)) {
      for (var file : files.entrySet()) {
        byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
        var entry = new TarArchiveEntry(file.getKey());
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }
}
