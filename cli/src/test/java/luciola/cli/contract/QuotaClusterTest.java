package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.Run;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code luciola quota} on a cluster that runs, and what it does to those who write. */
@Timeout(300)
final class QuotaClusterTest {
  private static final int MIB = 1 << 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static ClusterFileSystem files;

  private final Run run = new Run();

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    files = cluster.connect();
  }

  @AfterAll
  static void stop() {
    files.close();
    cluster.close();
  }

  private int quota(String... words) {
    var args = new ArrayList<>(List.of("quota"));
    args.addAll(List.of(words));
    args.add("--cluster=" + cluster.address());
    return run.command(args.toArray(String[]::new));
  }

  private void set(String... words) {
    var args = new ArrayList<>(List.of("set"));
    args.addAll(List.of(words));
    assertEquals(0, quota(args.toArray(String[]::new)), run.err());
  }

  private List<JsonNode> json(String... words) {
    var args = new ArrayList<>(List.of(words));
    args.add("--json");
    assertEquals(0, quota(args.toArray(String[]::new)), run.err());
    return run.out().lines().map(QuotaClusterTest::parsed).toList();
  }

  private static JsonNode parsed(String line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new AssertionError(line, e);
    }
  }

  /** What is used of the nearest quota, when everything is counted. */
  private List<Long> used(String path) {
    long start = System.nanoTime();
    JsonNode shown = json("show", path).getFirst();
    while (shown.get("counting").asBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), "not counted in time");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
      shown = json("show", path).getFirst();
    }
    return List.of(shown.get("usedBytes").asLong(), shown.get("usedInodes").asLong());
  }

  private static void file(String path, int bytes) {
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE);
        Arena arena = Arena.ofConfined()) {
      file.write(0, arena.allocate(bytes));
    }
  }

  private static String exceeded(org.junit.jupiter.api.function.Executable executable) {
    LuciolaException refused = assertThrows(LuciolaException.class, executable);
    assertEquals(ErrorCode.QUOTA_EXCEEDED, refused.code(), refused.getMessage());
    return String.valueOf(refused.getMessage());
  }

  @Test
  void theCommandsSetShowListAndRemove() {
    files.mkdirs("/sets/a/deep");
    set("/sets/a", "--bytes=10TiB", "--inodes=5M");
    set("/sets", "--inodes=none", "--bytes=1KiB");
    assertEquals(2, quota("set", "/sets"));
    assertEquals(2, quota("set", "/sets", "--inodes=5X"));
    assertEquals(1, quota("set", "/none", "--bytes=1"), run.err());
    assertEquals(2, quota());
    used("/sets");

    assertEquals(0, quota("show", "/sets/a/deep"), run.err());
    assertEquals(
        List.of(
            "directory bytes used of it inodes used of it state",
            "/sets/a 10.0 TiB 0 B 0 % 5000000 1 0 % counted",
            "/sets 1.00 KiB 0 B 0 % - 2 - counted"),
        run.out().lines().map(line -> line.replaceAll(" +", " ")).toList());
    List<JsonNode> listed = json("ls");
    assertEquals(
        List.of("/sets", "/sets/a"),
        listed.stream()
            .map(quota -> quota.get("directory").asText())
            .filter(path -> path.startsWith("/sets"))
            .sorted()
            .toList());
    assertEquals(
        "{\"directory\":\"/sets/a\",\"bytes\":10995116277760,\"usedBytes\":0,\"inodes\":5000000,"
            + "\"usedInodes\":1,\"counting\":false}",
        json("show", "/sets/a").getFirst().toString());

    assertEquals(0, quota("remove", "/sets/a"), run.err());
    assertEquals(1, quota("remove", "/sets/a"));
    assertTrue(run.err().contains("no quota"), run.err());
    assertEquals(0, quota("remove", "/sets"));
    assertEquals(0, quota("show", "/sets/a"));
    assertEquals("no quota: /sets/a\n", run.out());
  }

  @Test
  void aWriterIsToldAtTheWriteThatGoesTooFar() {
    files.mkdirs("/team");
    set("/team", "--bytes=10MiB", "--inodes=4");
    used("/team");
    WritableFile file = files.openWrite("/team/f", OpenOptions.CREATE);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(3 * MIB);
      for (int i = 0; i < 3; i++) {
        file.write((long) i * chunk.byteSize(), chunk);
      }
      assertEquals(
          "QUOTA_EXCEEDED: write: path=/team/f quota exceeded: directory=/team limitBytes=10485760"
              + " usedBytes=9437184 more=3145728",
          exceeded(() -> file.write(9L * MIB, chunk)));
      file.write(9L * MIB, chunk.asSlice(0, MIB));
      // What lies inside may be written again; what is removed makes room.
      file.write(0, chunk);
      file.sync();
      assertEquals(List.of(10L * MIB, 1L), used("/team"));
      exceeded(() -> file.write(10L * MIB, chunk.asSlice(0, 1)));
      file.truncate(5L * MIB);
      file.write(5L * MIB, chunk);
      file.close();
    }
    assertEquals(8L * MIB, files.stat("/team/f").length());
    file("/team/g", 2 * MIB);
    files.mkdir("/team/d");
    files.mkdir("/team/l");
    assertTrue(
        exceeded(() -> files.mkdir("/team/e"))
            .contains("quota exceeded: directory=/team limitInodes=4 usedInodes=4 more=1"));
    files.mkdirs("/elsewhere");
    file("/elsewhere/h", MIB);
    files.remove("/team/l");
    exceeded(() -> files.rename("/elsewhere/h", "/team/h"));
    files.remove("/team/g");
    files.rename("/elsewhere/h", "/team/h");
    assertEquals(List.of(9L * MIB, 3L), used("/team"));
    files.removeRecursively("/team/d");
    assertEquals(List.of(9L * MIB, 2L), used("/team"));
  }

  @Test
  void whoIsTooLateIsRefusedAtTheSyncAndTheFileStaysAsItWas() {
    files.mkdirs("/both");
    set("/both", "--bytes=6MiB");
    used("/both");
    WritableFile one = files.openWrite("/both/1", OpenOptions.CREATE);
    WritableFile two = files.openWrite("/both/2", OpenOptions.CREATE);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(4 * MIB);
      one.write(0, bytes);
      two.write(0, bytes.asSlice(0, MIB));
      two.sync();
      two.write(MIB, bytes);
      one.close();
      assertTrue(exceeded(two::sync).contains("quota exceeded: directory=/both "));
      exceeded(two::close);
    }
    assertEquals(MIB, files.stat("/both/2").length());
    assertEquals(List.of(5L * MIB, 2L), used("/both"));
    // What was written and could not be kept is gone: it does not come back as the file grows.
    try (WritableFile again = files.openWrite("/both/2", OpenOptions.EXISTING);
        Arena arena = Arena.ofShared()) {
      again.truncate(2L * MIB);
      MemorySegment read = arena.allocate(2 * MIB);
      try (var reader = files.openRead("/both/2")) {
        reader.read(0, read).join();
      }
      assertEquals(-1, read.mismatch(arena.allocate(2 * MIB)));
    }
  }

  @Test
  void javaNioSaysThatTheDiskQuotaIsExceeded() throws IOException {
    files.mkdirs("/nio");
    set("/nio", "--bytes=1MiB");
    used("/nio");
    try (FileSystem fileSystem =
        FileSystems.newFileSystem(URI.create("luciola://" + cluster.address()), Map.of())) {
      Path path = fileSystem.getPath("/nio/f");
      try (FileChannel channel =
          FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.allocate(MIB));
        FileSystemException refused =
            assertThrows(FileSystemException.class, () -> channel.write(ByteBuffer.allocate(MIB)));
        String reason = String.valueOf(refused.getReason());
        assertTrue(reason.startsWith("Disk quota exceeded: "), reason);
        assertTrue(reason.contains("directory=/nio limitBytes=1048576"), reason);
      }
    }
  }

  @Test
  void whatWasThereIsCounted() {
    files.mkdirs("/old/a/b");
    for (int i = 0; i < 1_500; i++) {
      file("/old/a/b/" + i, 0);
    }
    file("/old/f", 12_345);
    set("/old", "--bytes=1GiB");
    assertEquals(List.of(12_345L, 1_503L), used("/old"));
  }
}
