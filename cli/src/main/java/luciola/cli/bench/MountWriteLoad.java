package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import luciola.cli.bench.BenchCase.Pattern;

/**
 * {@code depth} programs that write on a mount, each a file of its own, as {@link WriteLoad} does
 * through the Java API: where that syncs, they call {@code fsync}.
 */
final class MountWriteLoad implements Load {
  private static final int FILL_BYTES = 1 << 20;

  private final BenchCase of;
  private final List<Writer> writers = new ArrayList<>();
  private final MemorySegment bytes;

  /**
   * @param prefix of the files' paths, on a mount that is not this process's own
   * @param fileBytes of all files together
   */
  MountWriteLoad(BenchCase of, LocalFile.Way way, Path prefix, long fileBytes) throws IOException {
    this.of = of;
    this.bytes = WriteLoad.noise(of.bytes());
    long each = Math.max(of.bytes(), fileBytes / of.depth() / of.bytes() * of.bytes());
    for (int i = 0; i < of.depth(); i++) {
      writers.add(new Writer(prefix.resolveSibling(prefix.getFileName() + "-" + i), way, each, i));
    }
  }

  @Override
  public long run(long untilNanos, Latencies latencies) {
    return Writers.together(writers.stream().map(each -> each.job(untilNanos, latencies)).toList());
  }

  @Override
  public void close() throws IOException {
    for (Writer writer : writers) {
      writer.file.truncate(0);
      writer.file.close();
      Files.delete(writer.path);
    }
  }

  private final class Writer {
    private final Path path;
    private final long slots;
    private final SplittableRandom random;
    private final LocalFile file;
    private long next;

    Writer(Path path, LocalFile.Way way, long fileBytes, int seed) throws IOException {
      this.path = path;
      this.slots = fileBytes / of.bytes();
      this.random = new SplittableRandom(seed);
      this.file = LocalFile.open(path, way);
      if (of.pattern().overwrites()) {
        fill(slots * of.bytes());
      }
    }

    private void fill(long fileBytes) throws IOException {
      MemorySegment piece = WriteLoad.noise(FILL_BYTES);
      for (long at = 0; at < fileBytes; at += piece.byteSize()) {
        file.write(at, piece.asSlice(0, Math.min(piece.byteSize(), fileBytes - at)));
      }
      file.sync();
    }

    Writers.Job job(long untilNanos, Latencies latencies) {
      return () -> {
        long done = 0;
        for (long start = System.nanoTime(); start - untilNanos < 0; start = System.nanoTime()) {
          write();
          latencies.add(System.nanoTime() - start);
          done++;
        }
        file.sync();
        return done;
      };
    }

    private void write() throws IOException {
      if (of.pattern().overwrites()) {
        file.write(random.nextLong(slots) * of.bytes(), bytes);
      } else {
        if (next == slots) {
          file.truncate(0);
          next = 0;
        }
        file.write(next++ * of.bytes(), bytes);
      }
      if (of.pattern() == Pattern.RANDOM || of.pattern() == Pattern.SEQUENTIAL) {
        file.sync();
      }
    }
  }
}
