package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import luciola.cli.bench.BenchCase.Pattern;

/**
 * {@code depth} programs that read a file on a mount, each with a descriptor of its own and one
 * request at a time. Sequential ones have a part of the file each. Once all have read theirs, the
 * file is dropped from the kernel's page cache, in time that does not count, and they begin again:
 * what is measured is the mount, not that cache.
 */
final class MountReadLoad implements Load {
  private final BenchCase of;
  private final List<Reader> readers = new ArrayList<>();
  private long unmeasuredNanos;

  /**
   * @param file on a mount, which is not this process's own
   */
  MountReadLoad(BenchCase of, LocalFile.Way way, Path file, long fileBytes) throws IOException {
    this.of = of;
    long each = Math.max(of.bytes(), fileBytes / of.depth() / of.bytes() * of.bytes());
    for (int i = 0; i < of.depth(); i++) {
      boolean random = of.pattern() == Pattern.RANDOM;
      readers.add(
          new Reader(
              LocalFile.open(file, way), random ? 0 : each * i, random ? fileBytes : each, i));
    }
  }

  @Override
  public long run(long untilNanos, Latencies latencies) throws IOException {
    long done = 0;
    long until = untilNanos;
    do {
      long start = System.nanoTime();
      for (Reader reader : readers) {
        reader.file.forgetPages(0, 0);
        reader.next = 0;
      }
      long spent = System.nanoTime() - start;
      unmeasuredNanos += spent;
      until += spent;
      long end = until;
      done += Writers.together(readers.stream().map(each -> each.job(end, latencies)).toList());
    } while (System.nanoTime() - until < 0);
    return done;
  }

  @Override
  public long unmeasuredNanos() {
    return unmeasuredNanos;
  }

  @Override
  public void close() throws IOException {
    for (Reader reader : readers) {
      reader.file.close();
    }
  }

  private final class Reader {
    private final LocalFile file;
    private final long from;
    private final long slots;
    private final SplittableRandom random;
    private final MemorySegment memory = Arena.ofAuto().allocate(of.bytes(), 4096);
    private long next;

    Reader(LocalFile file, long from, long bytes, int seed) {
      this.file = file;
      this.from = from;
      this.slots = bytes / of.bytes();
      this.random = new SplittableRandom(seed);
    }

    Writers.Job job(long untilNanos, Latencies latencies) {
      return () -> {
        long done = 0;
        for (long start = System.nanoTime();
            start - untilNanos < 0 && (random() || next < slots);
            start = System.nanoTime()) {
          file.read(offset(), memory);
          latencies.add(System.nanoTime() - start);
          done++;
        }
        return done;
      };
    }

    private boolean random() {
      return of.pattern() == Pattern.RANDOM;
    }

    private long offset() {
      return from + (random() ? random.nextLong(slots) : next++) * of.bytes();
    }
  }
}
