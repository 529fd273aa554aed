package luciola.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import luciola.cli.source.FileSource;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.protocol.error.LuciolaException;

/** Reads every imported file back and compares it with its source, byte for byte. */
final class TreeVerify {
  private final LuciolaFileSystem fs;
  private final String root;
  private final int parallel;
  private final Semaphore inFlight;
  private final AtomicLong files = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final ConcurrentLinkedQueue<String> different = new ConcurrentLinkedQueue<>();

  /**
   * What was compared.
   *
   * @param different the first differences, each naming its file
   */
  record Verified(long files, long bytes, double seconds, List<String> different) {}

  TreeVerify(LuciolaFileSystem fs, String root, int parallel) {
    this.fs = fs;
    this.root = root;
    this.parallel = parallel;
    this.inFlight = new Semaphore(parallel);
  }

  Verified run(FileSource source, int filesMax, LongConsumer progress) throws IOException {
    long start = System.nanoTime();
    try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      source.visit(
          filesMax,
          (name, length, content) -> {
            if (length <= TreeImport.SMALL_BYTES_MAX) {
              byte[] expected = content.readAllBytes();
              inFlight.acquireUninterruptibly();
              readers.execute(() -> compareSmall(name, expected, progress));
            } else {
              compareLarge(name, length, content, progress);
            }
          });
      inFlight.acquireUninterruptibly(parallel);
    }
    return new Verified(
        files.get(),
        bytes.get(),
        (System.nanoTime() - start) / 1e9,
        different.stream().limit(10).toList());
  }

  private void compareSmall(String name, byte[] expected, LongConsumer progress) {
    try (ReadableFile file = fs.openRead(root + "/" + name)) {
      if (file.length() != expected.length) {
        different.add(name + ": length " + file.length() + " instead of " + expected.length);
      } else if (expected.length > 0) {
        comparePart(file, 0, expected);
      }
    } catch (LuciolaException e) {
      different.add(name + ": " + e.getMessage());
    } finally {
      inFlight.release();
      progress.accept(files.incrementAndGet());
    }
  }

  private void compareLarge(String name, long length, InputStream content, LongConsumer progress)
      throws IOException {
    try (ReadableFile file = fs.openRead(root + "/" + name)) {
      if (file.length() != length) {
        different.add(name + ": length " + file.length() + " instead of " + length);
        return;
      }
      long at = 0;
      for (byte[] part = content.readNBytes(TreeImport.SMALL_BYTES_MAX);
          part.length > 0;
          part = content.readNBytes(TreeImport.SMALL_BYTES_MAX)) {
        comparePart(file, at, part);
        at += part.length;
      }
    } catch (LuciolaException e) {
      different.add(name + ": " + e.getMessage());
    } finally {
      progress.accept(files.incrementAndGet());
    }
  }

  private void comparePart(ReadableFile file, long offset, byte[] expected) {
    // Freed by the collector: a read that failed late may still be writing into it.
    MemorySegment found = Arena.ofAuto().allocate(expected.length, 8);
    long read = file.read(offset, found).join();
    long mismatch =
        read != expected.length ? read : found.mismatch(MemorySegment.ofArray(expected));
    if (mismatch >= 0) {
      different.add(file.path() + ": first difference at byte " + (offset + mismatch));
    }
    bytes.addAndGet(expected.length);
  }
}
