package luciola.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import luciola.cli.source.FileSource;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import org.jspecify.annotations.Nullable;

/**
 * Copies a source into a directory of the file system: the source is read by one thread, small
 * files are written by many at once, a large one by the reader itself.
 */
final class TreeImport {
  /** Larger files are streamed instead of being held in memory. */
  static final int SMALL_BYTES_MAX = 4 << 20;

  private final LuciolaFileSystem fs;
  private final String root;
  private final Semaphore inFlight;
  private final int parallel;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final AtomicLong files = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final Set<String> directories = new HashSet<>();

  /** What was imported, and how long it took. */
  record Imported(long files, long bytes, double seconds) {}

  TreeImport(LuciolaFileSystem fs, String root, int parallel) {
    this.fs = fs;
    this.root = root;
    this.parallel = parallel;
    this.inFlight = new Semaphore(parallel);
  }

  /** Imports up to {@code filesMax} files; {@code progress} is told the number done so far. */
  Imported run(FileSource source, int filesMax, LongConsumer progress) throws IOException {
    long start = System.nanoTime();
    fs.mkdirs(root);
    try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
      source.visit(
          filesMax,
          (name, length, content) -> {
            rethrow();
            makeParents(name);
            if (length <= SMALL_BYTES_MAX) {
              byte[] small = content.readAllBytes();
              inFlight.acquireUninterruptibly();
              writers.execute(() -> writeSmall(name, small, progress));
            } else {
              writeLarge(name, content, progress);
            }
          });
      inFlight.acquireUninterruptibly(parallel);
    }
    rethrow();
    return new Imported(files.get(), bytes.get(), (System.nanoTime() - start) / 1e9);
  }

  private void makeParents(String name) {
    int slash = name.lastIndexOf('/');
    String parent = slash < 0 ? root : root + "/" + name.substring(0, slash);
    if (directories.add(parent)) {
      fs.mkdirs(parent);
    }
  }

  private void writeSmall(String name, byte[] content, LongConsumer progress) {
    try {
      if (failure.get() == null) {
        try (WritableFile file = fs.openWrite(root + "/" + name, OpenOptions.CREATE_NEW)) {
          if (content.length > 0) {
            file.write(0, content);
          }
        }
        bytes.addAndGet(content.length);
        progress.accept(files.incrementAndGet());
      }
    } catch (RuntimeException e) {
      failure.compareAndSet(null, e);
    } finally {
      inFlight.release();
    }
  }

  private void writeLarge(String name, InputStream content, LongConsumer progress)
      throws IOException {
    try (WritableFile file = fs.openWrite(root + "/" + name, OpenOptions.CREATE_NEW)) {
      long at = 0;
      for (byte[] part = content.readNBytes(SMALL_BYTES_MAX);
          part.length > 0;
          part = content.readNBytes(SMALL_BYTES_MAX)) {
        file.write(at, part);
        at += part.length;
      }
      bytes.addAndGet(at);
    }
    progress.accept(files.incrementAndGet());
  }

  private void rethrow() throws IOException {
    Throwable seen = failure.get();
    if (seen != null) {
      throw new IOException("import failed: " + seen.getMessage(), seen);
    }
  }
}
