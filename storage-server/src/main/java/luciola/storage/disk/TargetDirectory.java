package luciola.storage.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * A data directory: its identity (file {@code identity}: lines {@code name=value}) and the lock
 * (file {@code lock}) that keeps a second process out. The identity holds {@code format}, {@code
 * home} (the path it was last used under) and whatever the owner adds; it is replaced as a whole
 * and durably.
 */
public final class TargetDirectory implements AutoCloseable {
  private static final String IDENTITY = "identity";
  private static final String HOME = "home";
  private static final String FORMAT = "format";

  private final Path path;
  private final FileChannel lockFile;
  private final FileLock lock;
  private Map<String, String> identity;

  private TargetDirectory(
      Path path, FileChannel lockFile, FileLock lock, Map<String, String> identity) {
    this.path = path;
    this.lockFile = lockFile;
    this.lock = lock;
    this.identity = identity;
  }

  /**
   * Makes the directory if it is missing, locks it and reads its identity.
   *
   * @throws LuciolaException FORMAT_TOO_NEW, UNSUPPORTED for an older format, INVALID_ARGUMENT
   *     where another process has it, CORRUPT_DATA where the identity cannot be read
   */
  public static TargetDirectory open(Path path) throws IOException {
    Files.createDirectories(path);
    FileChannel lockFile =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = lock(path, lockFile);
      Map<String, String> identity = read(path.resolve(IDENTITY));
      checkFormat(path, identity);
      checkHome(path, identity);
      var directory = new TargetDirectory(path, lockFile, lock, identity);
      boolean moved = identity.containsKey(HOME) && !home(path).equals(identity.get(HOME));
      boolean older =
          !identity
              .getOrDefault(FORMAT, Integer.toString(FormatNumber.CURRENT))
              .equals(Integer.toString(FormatNumber.CURRENT));
      if (moved || older) {
        directory.write(identity);
      }
      return directory;
    } catch (IOException | RuntimeException e) {
      lockFile.close();
      throw e;
    }
  }

  /**
   * Locks a directory that is used already, as it is: nothing is made, moved or written.
   *
   * @throws LuciolaException NOT_FOUND where there is none or no identity in it; else as {@link
   *     #open}, but for copies
   */
  public static TargetDirectory existing(Path path) throws IOException {
    if (!Files.exists(path.resolve(IDENTITY))) {
      throw new LuciolaException(
          ErrorCode.NOT_FOUND,
          "no data directory there: directory="
              + path
              + (Files.exists(path) ? " has no " + IDENTITY : " does not exist"));
    }
    FileChannel lockFile =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = lock(path, lockFile);
      Map<String, String> identity = read(path.resolve(IDENTITY));
      checkFormat(path, identity);
      return new TargetDirectory(path, lockFile, lock, identity);
    } catch (IOException | RuntimeException e) {
      lockFile.close();
      throw e;
    }
  }

  private static FileLock lock(Path path, FileChannel file) throws IOException {
    FileLock lock;
    try {
      lock = file.tryLock();
    } catch (OverlappingFileLockException _) {
      lock = null;
    }
    if (lock == null) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "data directory is in use by another storage-server: directory=" + path);
    }
    return lock;
  }

  private static Map<String, String> read(Path file) throws IOException {
    var values = new HashMap<String, String>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        int equals = line.indexOf('=');
        if (equals < 1) {
          throw new LuciolaException(
              ErrorCode.CORRUPT_DATA, "bad line in identity: file=" + file + " line=" + line);
        }
        values.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    return values;
  }

  private static void checkFormat(Path path, Map<String, String> identity) {
    String format = identity.getOrDefault(FORMAT, Integer.toString(FormatNumber.CURRENT));
    try {
      FormatNumber.check("directory=" + path, Long.parseLong(format));
    } catch (NumberFormatException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad format in identity: directory=" + path, e);
    }
  }

  /** A copy beside its original would be a second target of the same name with older bytes. */
  private static void checkHome(Path path, Map<String, String> identity) throws IOException {
    String home = identity.get(HOME);
    if (home == null || home.equals(home(path))) {
      return;
    }
    Path original = Path.of(home);
    Path file = original.resolve(IDENTITY);
    if (!Files.exists(file) || Files.isSameFile(original, path)) {
      return;
    }
    if (read(file).getOrDefault("uuid", "").equals(identity.getOrDefault("uuid", "none"))) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "directory is a copy of one that is still there: directory="
              + path
              + " original="
              + original
              + "; use the original, or remove it if it must move");
    }
  }

  private static String home(Path path) throws IOException {
    return path.toRealPath().toString();
  }

  public Path path() {
    return path;
  }

  /** A value of the identity as a number; 0 where it has none. Unsigned hexadecimal. */
  public synchronized long number(String name) {
    String value = identity.get(name);
    try {
      return value == null ? 0 : Long.parseUnsignedLong(value, 16);
    } catch (NumberFormatException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad number in identity: directory=" + path + " " + name, e);
    }
  }

  /** Adds or replaces a value of the identity, durably. */
  public synchronized void put(String name, long value) throws IOException {
    var next = new HashMap<>(identity);
    next.put(name, Long.toHexString(value));
    write(next);
  }

  private synchronized void write(Map<String, String> values) throws IOException {
    var next = new HashMap<>(values);
    next.put(FORMAT, Integer.toString(FormatNumber.CURRENT));
    next.put(HOME, home(path));
    var text = new StringBuilder();
    new TreeMap<>(next)
        .forEach((key, each) -> text.append(key).append('=').append(each).append('\n'));
    Path fresh = path.resolve(IDENTITY + ".new");
    try (FileChannel file =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
      file.force(true);
    }
    Files.move(
        fresh,
        path.resolve(IDENTITY),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    syncDirectory();
    identity = next;
  }

  private void syncDirectory() throws IOException {
    try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  /**
   * Binds the directory to a cluster, or checks that it is bound to this one.
   *
   * @throws LuciolaException WRONG_CLUSTER
   */
  public void bindCluster(long cluster) throws IOException {
    long bound = number("cluster");
    if (bound == 0) {
      put("cluster", cluster);
    } else if (bound != cluster) {
      throw new LuciolaException(
          ErrorCode.WRONG_CLUSTER,
          "data directory belongs to another cluster: directory="
              + path
              + " cluster="
              + Long.toHexString(bound)
              + " expected="
              + Long.toHexString(cluster));
    }
  }

  /** Closing twice is harmless. */
  @Override
  public void close() throws IOException {
    if (!lockFile.isOpen()) {
      return;
    }
    try {
      lock.release();
    } finally {
      lockFile.close();
    }
  }
}
