package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.cli.Run;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.protocol.control.LayoutMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.layout.FileLayout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two clients write past the end of one file when its quota is full: what one of them cannot keep
 * goes, what the other one keeps stays.
 */
@Timeout(300)
final class UntoldBytesClusterTest {
  private static final int CHUNK = 64 << 10;

  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static ClusterFileSystem files;

  @SuppressWarnings("NullAway.Init")
  private static ClusterFileSystem others;

  private final Run run = new Run();

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    files = cluster.connect();
    others = cluster.connect();
  }

  @AfterAll
  static void stop() {
    others.close();
    files.close();
    cluster.close();
  }

  private void limit(String path, int chunks) {
    assertEquals(
        0,
        run.command(
            "quota", "set", path, "--bytes=" + chunks * CHUNK, "--cluster=" + cluster.address()),
        run::err);
    await(() -> {
      run.command("quota", "show", path, "--json", "--cluster=" + cluster.address());
      return run.out().contains("\"counting\":false");
    });
  }

  private static void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(60), "not in time");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  private static byte[] bytes(int chunks, int seed) {
    byte[] bytes = new byte[chunks * CHUNK];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static WritableFile open(ClusterFileSystem by, String path) {
    return by.openWrite(path, new OpenOptions(true, false, false, 0644, CHUNK, 2));
  }

  private static void put(String path, byte[] bytes) {
    try (WritableFile file = open(files, path)) {
      file.write(0, bytes);
    }
  }

  private static byte[] read(String path) {
    try (ReadableFile file = files.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(file.length());
      assertEquals(file.length(), file.read(0, into).join());
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static Inode inode(InodeId id) {
    return files
        .meta()
        .inspectInodes(InspectInodesRequest.newBuilder().addInodes(id.value()).build())
        .getInodes(0)
        .getInode();
  }

  /** Whether the chain of a chunk holds it, all that is on its way done. */
  private static boolean isThere(InodeId file, int index) {
    FileLayout layout = LayoutMessages.fromMessage(inode(file).getLayout());
    var chunk = new ChunkId(file, index);
    return files.chainChunks().length(files.routing().chainOf(layout, chunk), chunk).isPresent();
  }

  private static void refused(WritableFile file) {
    LuciolaException no = assertThrows(LuciolaException.class, file::close);
    assertEquals(ErrorCode.QUOTA_EXCEEDED, no.code(), no.getMessage());
  }

  @Test
  void whoIsRefusedLeavesWhatAnotherWriterKeepsAndItsOwnBytesNeverShow() {
    files.mkdirs("/two");
    put("/two/f", bytes(1, 1));
    limit("/two", 12);
    byte[] kept = bytes(1, 2);
    WritableFile one = open(files, "/two/f");
    WritableFile other = open(others, "/two/f");
    InodeId file = one.inode();
    one.write(3L * CHUNK, bytes(2, 3));
    other.write(CHUNK, kept);
    // Both are acknowledged, and nobody has told of them, when the quota gets full.
    await(() -> isThere(file, 1) && isThere(file, 3) && isThere(file, 4));
    put("/two/g", bytes(9, 4));
    refused(one);
    assertTrue(isThere(file, 1), "it is the other one's");
    assertTrue(inode(file).getUntold());
    other.close();
    assertEquals(2L * CHUNK, files.stat("/two/f").length());

    // Whoever writes next removes what nobody told of, before it can show in a hole.
    limit("/two", 30);
    byte[] last = bytes(1, 5);
    try (WritableFile next = open(others, "/two/f")) {
      assertTrue(!isThere(file, 3) && !isThere(file, 4));
      next.write(5L * CHUNK, last);
    }
    byte[] expected = new byte[6 * CHUNK];
    System.arraycopy(bytes(1, 1), 0, expected, 0, CHUNK);
    System.arraycopy(kept, 0, expected, CHUNK, CHUNK);
    System.arraycopy(last, 0, expected, 5 * CHUNK, CHUNK);
    assertArrayEquals(expected, read("/two/f"));
    assertTrue(!inode(file).getUntold());
  }

  @Test
  void whoIsRefusedAloneRemovesItsBytesAtOnce() {
    files.mkdirs("/alone");
    put("/alone/f", bytes(1, 1));
    limit("/alone", 12);
    WritableFile one = open(files, "/alone/f");
    InodeId file = one.inode();
    one.write(CHUNK, bytes(3, 3));
    await(() -> isThere(file, 1) && isThere(file, 2) && isThere(file, 3));
    // Another writer has told its length and gone: it is known to whoever cuts.
    try (WritableFile other = open(others, "/alone/f")) {
      other.write(CHUNK, bytes(1, 6));
    }
    put("/alone/g", bytes(10, 4));
    refused(one);
    assertTrue(isThere(file, 1) && !isThere(file, 2) && !isThere(file, 3));
    assertTrue(!inode(file).getUntold());
    assertEquals(2L * CHUNK, files.stat("/alone/f").length());
  }
}
