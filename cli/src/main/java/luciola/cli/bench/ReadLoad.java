package luciola.cli.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import org.jspecify.annotations.Nullable;

/**
 * One client that reads a file: always {@code depth} requests in flight, each into memory of its
 * own.
 */
final class ReadLoad implements Load {
  private final LuciolaFileSystem files;
  private final BenchCase of;
  private final ReadableFile file;
  private final long slots;
  private final MemorySegment memory;
  private final SplittableRandom random = new SplittableRandom(1);
  private long next;

  /**
   * @param path of a file of at least one request's size
   */
  ReadLoad(LuciolaFileSystem files, BenchCase of, String path) {
    this.files = files;
    this.of = of;
    this.file = files.openRead(path);
    this.slots = file.length() / of.bytes();
    this.memory = Arena.ofAuto().allocate(of.bytesInFlight(), 4096);
    this.memory.fill((byte) 0);
  }

  @Override
  public long run(long untilNanos, Latencies latencies) {
    var run = new Run(untilNanos, latencies);
    for (int place = 0; place < of.depth(); place++) {
      run.request(place);
    }
    run.await();
    return run.done.get();
  }

  /** Requests follow each other on the threads that complete them. */
  private final class Run {
    private final long untilNanos;
    private final Latencies latencies;
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Semaphore ended = new Semaphore(0);

    Run(long untilNanos, Latencies latencies) {
      this.untilNanos = untilNanos;
      this.latencies = latencies;
    }

    void request(int place) {
      while (true) {
        long start = System.nanoTime();
        if (start - untilNanos >= 0 || failure.get() != null) {
          ended.release();
          return;
        }
        CompletableFuture<?> reading = start(place);
        if (!reading.isDone()) {
          var _ =
              reading.whenComplete((_, error) -> {
                finished(start, error);
                request(place);
              });
          return;
        }
        finished(start, reading.isCompletedExceptionally() ? reading.exceptionNow() : null);
      }
    }

    private void finished(long start, @Nullable Throwable error) {
      latencies.add(System.nanoTime() - start);
      done.addAndGet(of.batch());
      if (error != null) {
        failure.compareAndSet(null, error);
      }
    }

    void await() {
      ended.acquireUninterruptibly(of.depth());
      Throwable error = failure.get();
      if (error != null) {
        throw new IllegalStateException("bench read: path=" + file.path(), error);
      }
    }
  }

  private CompletableFuture<?> start(int place) {
    long from = (long) place * of.batch() * of.bytes();
    if (of.batch() == 1) {
      return file.read(offset(), memory.asSlice(from, of.bytes()));
    }
    List<ReadRange> ranges = new ArrayList<>(of.batch());
    for (int i = 0; i < of.batch(); i++) {
      MemorySegment into = memory.asSlice(from + (long) i * of.bytes(), of.bytes());
      ranges.add(new ReadRange(file, offset(), into));
    }
    return files.read(ranges);
  }

  private synchronized long offset() {
    if (of.pattern() == Pattern.RANDOM) {
      return random.nextLong(slots) * of.bytes();
    }
    long at = next;
    next = (next + 1) % slots;
    return at * of.bytes();
  }

  @Override
  public void close() {
    file.close();
  }
}
