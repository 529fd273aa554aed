package luciola.cli.connection;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The folder of a local cluster: whoever runs it holds a lock that the kernel takes back when the
 * process ends in whatever way, so that a stale pid file means nothing.
 */
public final class DataFolder {
  private static final String LOCK = "local.lock";
  private static final String PID = "local.pid";

  private final Path folder;

  public DataFolder(Path folder) {
    this.folder = folder;
  }

  public Path path() {
    return folder;
  }

  public Path log() {
    return folder.resolve("local.log");
  }

  /** Held for as long as the cluster runs. */
  public record Held(FileChannel channel, FileLock lock) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      lock.release();
      channel.close();
    }
  }

  /** Takes the folder; empty if a cluster runs in it. */
  public Optional<Held> take() throws IOException {
    Files.createDirectories(folder);
    FileChannel channel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return Optional.of(new Held(channel, lock));
      }
    } catch (OverlappingFileLockException _) {
      // Held by this JVM.
    }
    channel.close();
    return Optional.empty();
  }

  /** Whether a cluster runs in it. */
  public boolean taken() throws IOException {
    if (!Files.exists(folder.resolve(LOCK))) {
      return false;
    }
    Optional<Held> free = take();
    if (free.isPresent()) {
      free.get().close();
    }
    return free.isEmpty();
  }

  /** Says that the cluster of this process serves. */
  public void writePid() throws IOException {
    Path fresh = folder.resolve(PID + ".new");
    Files.writeString(fresh, ProcessHandle.current().pid() + "\n");
    Files.move(fresh, folder.resolve(PID), StandardCopyOption.ATOMIC_MOVE);
  }

  public void removePid() throws IOException {
    Files.deleteIfExists(folder.resolve(PID));
  }

  /** The process that last said that it serves. */
  public Optional<Long> pid() throws IOException {
    try {
      return Optional.of(Long.valueOf(Files.readString(folder.resolve(PID)).strip()));
    } catch (NoSuchFileException | NumberFormatException _) {
      return Optional.empty();
    }
  }
}
