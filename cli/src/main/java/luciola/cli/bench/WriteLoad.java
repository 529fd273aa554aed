package luciola.cli.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;

/**
 * One client with {@code depth} writers, each with a file of its own. A write counts when it is
 * durable on every replica: each writer syncs after each of its writes, or, as a stream, once at
 * the end.
 *
 * <p>Sequential writers fill their file and begin again with an empty one. Random ones write over
 * what is there, anywhere in a file that was filled before, in chunks of the usual size.
 */
final class WriteLoad implements Load {
  private static final int FILL_BYTES = 4 << 20;

  private final LuciolaFileSystem files;
  private final BenchCase of;
  private final List<Writer> writers = new ArrayList<>();
  private final MemorySegment bytes;

  /**
   * @param path prefix of the files' paths
   * @param fileBytes of all files together
   */
  WriteLoad(LuciolaFileSystem files, BenchCase of, String path, long fileBytes) {
    this.files = files;
    this.of = of;
    this.bytes = noise(of.bytes());
    long each = Math.max(of.bytes(), fileBytes / of.depth() / of.bytes() * of.bytes());
    for (int i = 0; i < of.depth(); i++) {
      writers.add(new Writer(path + "-" + i, each, i));
    }
  }

  static MemorySegment noise(int bytes) {
    MemorySegment made = Arena.ofAuto().allocate(bytes, 4096);
    var random = new SplittableRandom(7);
    for (long at = 0; at < bytes; at += Long.BYTES) {
      made.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
    return made.asReadOnly();
  }

  @Override
  public long run(long untilNanos, Latencies latencies) {
    return Writers.together(writers.stream().map(each -> each.job(untilNanos, latencies)).toList());
  }

  @Override
  public void close() {
    writers.forEach(Writer::close);
  }

  private final class Writer {
    private final String path;
    private final long slots;
    private final SplittableRandom random;
    private final WritableFile file;
    private long next;

    Writer(String path, long fileBytes, int seed) {
      this.path = path;
      this.slots = fileBytes / of.bytes();
      this.random = new SplittableRandom(seed);
      this.file = files.openWrite(path, OpenOptions.CREATE);
      if (of.pattern().overwrites()) {
        fill(slots * of.bytes());
      }
    }

    private void fill(long fileBytes) {
      MemorySegment piece = noise(FILL_BYTES);
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

    private void write() {
      if (of.pattern().overwrites()) {
        file.write(random.nextLong(slots) * of.bytes(), bytes);
        if (of.pattern() == Pattern.RANDOM) {
          file.sync();
        }
        return;
      }
      if (next == slots) {
        file.truncate(0);
        next = 0;
      }
      file.write(next++ * of.bytes(), bytes);
      if (of.pattern() != Pattern.STREAM) {
        file.sync();
      }
    }

    void close() {
      file.truncate(0); // gives the space back now; a collector would later
      file.close();
      files.remove(path);
    }
  }
}
