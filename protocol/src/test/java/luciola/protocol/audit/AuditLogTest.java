package luciola.protocol.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuditLogTest {
  private static final long TIME = 1_800_000_000_500_000_000L;

  @TempDir Path directory;

  private AuditLog open(long bytesMax, int filesMax) {
    return AuditLog.open(directory.resolve("audit.log"), bytesMax, filesMax, () -> TIME);
  }

  @Test
  void aLineIsOneLineWhateverItsValues() throws Exception {
    try (AuditLog log = open(1 << 20, 2)) {
      log.write(new AuditLine().with("who", "user:ann").with("code", "OK"));
      log.write(
          new AuditLine()
              .with("who", "eve\ntime=2027 who=root code=OK")
              .with("path", "a \"b\" \\ \u001b[31m\u2028é")
              .with("empty", ""));
      log.write(new AuditLine().with("long", "x".repeat(100_000)));
    }
    List<String> lines = Files.readAllLines(directory.resolve("audit.log"));
    assertEquals(3, lines.size());
    assertEquals("time=2027-01-15T08:00:00.500Z who=user:ann code=OK", lines.getFirst());
    assertEquals(
        "time=2027-01-15T08:00:00.500Z who=\"eve\\u000atime=2027 who=root code=OK\""
            + " path=\"a \\\"b\\\" \\\\ \\u001b[31m\\u2028é\" empty=\"\"",
        lines.get(1));
    assertTrue(lines.get(2).length() < 2 * AuditLine.VALUE_MAX);
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(directory.resolve("audit.log"))));
  }

  @Test
  void filesAreRotatedAndOldOnesRemoved() throws Exception {
    for (int life = 0; life < 2; life++) {
      try (AuditLog log = open(4096, 2)) {
        for (int i = 0; i < 200; i++) {
          log.write(new AuditLine().with("life", life).with("line", i));
        }
      }
    }
    try (var files = Files.list(directory)) {
      assertEquals(
          List.of("audit.log", "audit.log.1", "audit.log.2"),
          files.map(it -> it.getFileName().toString()).sorted().collect(Collectors.toList()));
    }
    long newest = 0;
    for (String name : List.of("audit.log.2", "audit.log.1", "audit.log")) {
      Path file = directory.resolve(name);
      assertTrue(Files.size(file) <= 4096, name);
      for (String line : Files.readAllLines(file)) {
        String[] fields = line.split("[= ]", -1);
        long number = 200 * Long.parseLong(fields[3]) + Long.parseLong(fields[5]);
        assertTrue(newest == 0 || number == newest + 1, "a gap before " + line);
        newest = number;
      }
    }
    assertEquals(399, newest);
  }

  @Test
  void beyondTheQueueLinesAreCounted() throws Exception {
    int asked = 50_000;
    try (AuditLog log = open(1L << 30, 2)) {
      for (int i = 0; i < asked; i++) {
        log.write(new AuditLine().with("line", i));
      }
    }
    long written = 0;
    long lost = 0;
    for (String line : Files.readAllLines(directory.resolve("audit.log"))) {
      if (line.contains("event=lost")) {
        lost += Long.parseLong(line.substring(line.lastIndexOf('=') + 1));
      } else {
        written++;
      }
    }
    assertEquals(asked, written + lost);
  }

  @Test
  void noneWritesNothing() throws Exception {
    AuditLog.NONE.write(new AuditLine().with("a", 1));
    AuditLog.NONE.close();
    try (var files = Files.list(directory)) {
      assertFalse(files.findAny().isPresent());
    }
  }
}
