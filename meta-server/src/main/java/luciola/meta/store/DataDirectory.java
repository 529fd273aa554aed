package luciola.meta.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * A meta-server's directory:
 *
 * <pre>
 *  IDENTITY   what it is: format, cluster
 *  LOCK       held by the process that has it open
 *  raft/      the replicated log and snapshots
 *  db/        the live database
 * </pre>
 *
 * Never opened by two processes, by an older program than wrote it, or for another cluster.
 */
public final class DataDirectory implements AutoCloseable {
  /** Format of what this program writes. */
  public static final int FORMAT = 1;

  private static final String KIND = "luciola-meta-server";

  private final Path path;
  private final FileChannel lockFile;
  private final FileLock lock;
  private volatile long clusterId;

  private DataDirectory(Path path, FileChannel lockFile, FileLock lock, long clusterId) {
    this.path = path;
    this.lockFile = lockFile;
    this.lock = lock;
    this.clusterId = clusterId;
  }

  /**
   * Opens a directory, making it where it is missing.
   *
   * @param expectedCluster the cluster it must belong to; 0: whatever it belongs to
   */
  public static DataDirectory open(Path path, long expectedCluster) {
    try {
      Files.createDirectories(path);
      FileChannel lockFile =
          FileChannel.open(
              path.resolve("LOCK"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = tryLock(lockFile);
      if (lock == null) {
        lockFile.close();
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT,
            "data directory is in use by another process: directory=" + path);
      }
      try {
        var directory = new DataDirectory(path, lockFile, lock, identify(path, expectedCluster));
        if (!Files.exists(path.resolve("IDENTITY"))) {
          directory.write();
        }
        return directory;
      } catch (RuntimeException | IOException refused) {
        lockFile.close();
        throw refused;
      }
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.DISK_ERROR, "open data directory: directory=" + path + " " + e, e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
    try {
      return file.tryLock();
    } catch (OverlappingFileLockException taken) {
      return null;
    }
  }

  private static long identify(Path path, long expectedCluster) throws IOException {
    Path file = path.resolve("IDENTITY");
    if (!Files.exists(file)) {
      return 0;
    }
    Map<String, String> fields = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        fields.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    try {
      int format = Integer.parseInt(fields.getOrDefault("format", ""));
      if (format > FORMAT) {
        throw new LuciolaException(
            ErrorCode.FORMAT_TOO_NEW,
            "data directory was written by a newer program: directory="
                + path
                + " format="
                + format
                + " known="
                + FORMAT);
      }
      long cluster = Long.parseUnsignedLong(fields.getOrDefault("cluster", ""), 16);
      if (!KIND.equals(fields.get("kind"))) {
        throw new LuciolaException(
            ErrorCode.INVALID_ARGUMENT,
            "data directory is not a meta-server's: directory="
                + path
                + " kind="
                + fields.get("kind"));
      }
      if (expectedCluster != 0 && cluster != 0 && cluster != expectedCluster) {
        throw new LuciolaException(
            ErrorCode.WRONG_CLUSTER,
            "data directory belongs to another cluster: directory="
                + path
                + " cluster="
                + Long.toHexString(cluster)
                + " expected="
                + Long.toHexString(expectedCluster));
      }
      return cluster;
    } catch (NumberFormatException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "unreadable identity: file=" + file + " " + fields, e);
    }
  }

  private void write() throws IOException {
    Path next = path.resolve("IDENTITY.next");
    String text =
        "kind=" + KIND + "\nformat=" + FORMAT + "\ncluster=" + Long.toHexString(clusterId) + "\n";
    Files.writeString(
        next,
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
    Files.move(
        next,
        path.resolve("IDENTITY"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** The cluster this directory belongs to; 0 if it does not know yet. */
  public long clusterId() {
    return clusterId;
  }

  /** Remembers the cluster; WRONG_CLUSTER if it belongs to another already. */
  public void belongTo(long cluster) {
    if (clusterId == cluster) {
      return;
    }
    if (clusterId != 0) {
      throw new LuciolaException(
          ErrorCode.WRONG_CLUSTER,
          "data directory belongs to another cluster than its state: directory="
              + path
              + " cluster="
              + Long.toHexString(clusterId)
              + " state="
              + Long.toHexString(cluster));
    }
    clusterId = cluster;
    try {
      write();
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "write identity: directory=" + path, e);
    }
  }

  public Path raft() {
    return path.resolve("raft");
  }

  public Path database() {
    return path.resolve("db");
  }

  @Override
  public void close() {
    try {
      lock.release();
      lockFile.close();
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "unlock: directory=" + path, e);
    }
  }
}
