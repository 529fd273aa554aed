package luciola.protocol.audit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file {@code audit.log} and its predecessors {@code .1} (the youngest) to {@code .N}. Lines
 * wait in a bounded queue for one thread; beyond it they are counted and the count is written. Any
 * thread.
 */
public final class AuditLog implements AutoCloseable {
  /** Writes nothing. */
  public static final AuditLog NONE = new AuditLog();

  private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);
  private static final int QUEUE_MAX = 4096;

  private final BlockingQueue<String> queue = new ArrayBlockingQueue<>(QUEUE_MAX);
  private final AtomicLong lost = new AtomicLong();
  private final Path file;
  private final long bytesMax;
  private final int filesMax;
  private final LongSupplier wallNanos;
  private final @Nullable Thread writer;
  private volatile boolean closed;
  private @Nullable FileChannel channel;

  private AuditLog() {
    this.file = Path.of("");
    this.bytesMax = 0;
    this.filesMax = 0;
    this.wallNanos = () -> 0;
    this.writer = null;
    this.closed = true;
  }

  private AuditLog(Path file, long bytesMax, int filesMax, LongSupplier wallNanos)
      throws IOException {
    this.file = file;
    this.bytesMax = bytesMax;
    this.filesMax = filesMax;
    this.wallNanos = wallNanos;
    this.channel = opened(file);
    this.writer = Thread.ofPlatform().name("audit").daemon().start(this::writeAlways);
  }

  /**
   * Opens the file, or goes on at its end.
   *
   * @param bytesMax after which a file is put aside
   * @param filesMax files that are put aside at most; older ones are removed
   * @param wallNanos the time since 1970
   * @throws LuciolaException DISK_ERROR if it cannot be written
   */
  public static AuditLog open(Path file, long bytesMax, int filesMax, LongSupplier wallNanos) {
    try {
      return new AuditLog(file, bytesMax, filesMax, wallNanos);
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "audit log: file=" + file + " " + e, e);
    }
  }

  private static FileChannel opened(Path file) throws IOException {
    return FileChannel.open(
        file,
        EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND),
        PosixFilePermissions.asFileAttribute(
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE)));
  }

  /** Writes a line soon. Never blocks. */
  public void write(AuditLine line) {
    if (closed || !queue.offer(line.text(wallNanos.getAsLong()))) {
      lost.incrementAndGet();
    }
  }

  private void writeAlways() {
    try {
      while (!closed || !queue.isEmpty()) {
        String line = queue.poll(50, TimeUnit.MILLISECONDS);
        if (line != null) {
          append(line);
        }
        long missing = queue.isEmpty() ? lost.getAndSet(0) : 0;
        if (missing > 0) {
          append(
              new AuditLine()
                  .with("event", "lost")
                  .with("lines", missing)
                  .text(wallNanos.getAsLong()));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void append(String line) {
    try {
      FileChannel out = channel;
      if (out == null) {
        out = opened(file);
        channel = out;
      }
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
      if (out.size() > 0 && out.size() + bytes.remaining() > bytesMax) {
        out.close();
        channel = null;
        rotate();
        out = opened(file);
        channel = out;
      }
      while (bytes.hasRemaining()) {
        int _ = out.write(bytes);
      }
    } catch (IOException e) {
      LOG.error("audit line not written: file={} line={}", file, line, e);
    }
  }

  private void rotate() throws IOException {
    for (int number = filesMax; number >= 1; number--) {
      Path younger = number == 1 ? file : former(number - 1);
      if (Files.exists(younger)) {
        Files.move(younger, former(number), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private Path former(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  /** Writes what waits and closes the file. */
  @Override
  public void close() {
    closed = true;
    Thread writing = writer;
    if (writing == null) {
      return;
    }
    try {
      writing.join(TimeUnit.SECONDS.toMillis(5));
      FileChannel out = channel;
      if (out != null) {
        out.close();
      }
    } catch (IOException e) {
      LOG.warn("audit log not closed: file={}", file, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
