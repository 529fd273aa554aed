package luciola.loader.ring;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's side of one ring. A thread of its own takes submissions and sleeps when there are
 * none; it never waits for a server. All reads that it finds travel together, and each is completed
 * by whoever has its bytes. Files are opened and closed by other threads.
 *
 * <p>An owner that breaks the rules of the counters is reported once, and its ring does nothing
 * more. A bad entry is completed with an error and changes nothing else.
 */
public final class RingServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RingServer.class);
  private static final int FAULTS_TOLD = 16;
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final RingConfiguration configuration;
  private final LuciolaFileSystem files;
  private final SharedRegion region;
  private final RingMemory memory;
  private final RingIndices indices;
  private final WakePipe agentWakes;
  private final WakePipe ownerWakes;
  private final CompletionRing completions;
  private final Consumer<LuciolaException> broken;
  private final LongAdder bytes;
  private final Map<Integer, RingFile> open = new ConcurrentHashMap<>();
  private final AtomicInteger lastFile = new AtomicInteger();
  private final AtomicInteger openCount = new AtomicInteger();
  private final AtomicInteger faults = new AtomicInteger();

  /** Operations that were taken and are not completed, and the ring itself. */
  private final Phaser running = new Phaser(1);

  private final Thread thread;
  private volatile boolean closed;

  private RingServer(
      RingConfiguration configuration,
      LuciolaFileSystem files,
      SharedRegion region,
      RingLayout layout,
      WakePipe agentWakes,
      WakePipe ownerWakes,
      LongAdder bytes,
      Consumer<LuciolaException> broken) {
    this.configuration = configuration;
    this.files = files;
    this.region = region;
    this.memory = new RingMemory(region.memory(), layout);
    this.indices = new RingIndices(layout.entries(), layout.firstNumber());
    this.agentWakes = agentWakes;
    this.ownerWakes = ownerWakes;
    this.completions = new CompletionRing(memory, ownerWakes);
    this.bytes = bytes;
    this.broken = broken;
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("agent-ring-" + NUMBERS.incrementAndGet())
            .unstarted(this::run);
  }

  /**
   * Makes a ring in a region; nothing is taken from it before {@link #start}.
   *
   * @param region closed with the ring
   * @param bytes counts what is read into it
   * @param broken hears, once, of an owner that broke the rules; on the ring's thread
   * @throws LuciolaException INTERNAL if the pipes beside the region cannot be made
   */
  public static RingServer create(
      RingConfiguration configuration,
      LuciolaFileSystem files,
      SharedRegion region,
      RingLayout layout,
      LongAdder bytes,
      Consumer<LuciolaException> broken) {
    layout.encode(region.memory());
    WakePipe agentWakes = WakePipe.create(beside(region, ".submit"));
    try {
      WakePipe ownerWakes = WakePipe.create(beside(region, ".complete"));
      return new RingServer(
          configuration, files, region, layout, agentWakes, ownerWakes, bytes, broken);
    } catch (RuntimeException e) {
      agentWakes.close();
      throw e;
    }
  }

  private static Path beside(SharedRegion region, String suffix) {
    String name = region.path().getFileName().toString();
    return region.path().resolveSibling(name.substring(0, name.lastIndexOf('.')) + suffix);
  }

  /** The pipe that wakes the agent. */
  public Path submitPipe() {
    return agentWakes.path();
  }

  /** The pipe that wakes the owner. */
  public Path completePipe() {
    return ownerWakes.path();
  }

  /** The owner has all of it: names go, and submissions are taken from now on. */
  public void start() {
    region.unlink();
    agentWakes.unlink();
    ownerWakes.unlink();
    thread.start();
  }

  /** Files that are open now. */
  public int openFiles() {
    return open.size();
  }

  /** A file in the hands of a ring's owner. */
  public record Opened(int file, long length) {}

  /** Opens a file to read it. */
  public Opened openRead(String path) {
    return opened(path, () -> RingFile.reading(files, path));
  }

  /** Opens a file to write to it, and to read it where that is permitted. */
  public Opened openWrite(String path, OpenOptions options) {
    return opened(path, () -> RingFile.writing(files, path, options));
  }

  private Opened opened(String path, Supplier<RingFile> opening) {
    if (openCount.incrementAndGet() > configuration.filesMax()) {
      openCount.decrementAndGet();
      throw new LuciolaException(
          ErrorCode.OVERLOADED,
          "open: too many files of one ring: path="
              + path
              + " filesMax="
              + configuration.filesMax());
    }
    try {
      RingFile made = opening.get();
      int number = lastFile.incrementAndGet();
      open.put(number, made);
      return new Opened(number, made.length());
    } catch (RuntimeException e) {
      openCount.decrementAndGet();
      throw e;
    }
  }

  /** Waits for what is under way with a file, makes its writes durable and closes it. */
  public void close(int file) {
    RingFile had = open.remove(file);
    if (had == null) {
      throw new LuciolaException(ErrorCode.BAD_SESSION, "close: no such file: file=" + file);
    }
    try {
      had.close();
    } finally {
      openCount.decrementAndGet();
    }
  }

  private void run() {
    try {
      while (!closed) {
        if (!turn() && !spin()) {
          sleep();
        }
      }
    } catch (LuciolaException e) {
      broken.accept(e);
    } catch (RuntimeException e) {
      LOG.error("ring failed", e);
      broken.accept(new LuciolaException(ErrorCode.INTERNAL, "ring: " + e, e));
    }
  }

  private boolean spin() {
    if (configuration.spinNanos() == 0) {
      return false;
    }
    long until = System.nanoTime() + configuration.spinNanos();
    while (System.nanoTime() - until < 0 && !closed) {
      if (turn()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private void sleep() {
    memory.agentSleeps();
    if (memory.submissionsPut() == indices.taken() && !closed) {
      agentWakes.await(-1);
    }
    memory.agentIsAwake();
  }

  /** Takes all there is; false if that is nothing. */
  private boolean turn() {
    int put = memory.submissionsPut();
    int count = indices.ready(put, memory.completionsTaken());
    if (count == 0) {
      return false;
    }
    List<ReadRange> ranges = new ArrayList<>(count);
    List<Operation> reads = new ArrayList<>(count);
    running.bulkRegister(count);
    for (int i = 0; i < count; i++) {
      Submission submission = memory.submission(indices.taken() + i);
      begin(submission, ranges, reads);
    }
    indices.took(count);
    memory.freeSubmissions(indices.taken());
    if (!ranges.isEmpty()) {
      read(ranges, reads);
    }
    return true;
  }

  private void begin(Submission submission, List<ReadRange> ranges, List<Operation> reads) {
    ErrorCode wrong =
        submission.check(memory.layout().dataBytes(), configuration.operationBytesMax());
    RingFile file = open.get(submission.file());
    if (wrong != ErrorCode.OK || file == null || !mayDo(file, submission) || !file.begin()) {
      ErrorCode code = wrong != ErrorCode.OK ? wrong : ErrorCode.BAD_SESSION;
      complete(submission, -code.errno());
      return;
    }
    var operation = new Operation(submission, file);
    switch (submission.operation()) {
      case Submission.READ -> {
        if (file.isPlain(submission.offset(), submission.length())) {
          ranges.add(file.range(submission.offset(), operation.memory()));
          reads.add(operation);
        } else {
          operation.readSlowly();
        }
      }
      case Submission.WRITE -> file.write(submission.offset(), operation.memory(), operation);
      default -> file.sync(operation);
    }
  }

  private static boolean mayDo(RingFile file, Submission submission) {
    return submission.operation() == Submission.READ ? file.mayRead() : file.mayWrite();
  }

  private void read(List<ReadRange> ranges, List<Operation> reads) {
    List<CompletableFuture<Void>> outcomes;
    try {
      outcomes = files.readEach(ranges);
    } catch (RuntimeException e) {
      reads.forEach(each -> each.ended(0, e));
      return;
    }
    for (int i = 0; i < outcomes.size(); i++) {
      Operation operation = reads.get(i);
      var _ = outcomes.get(i).whenComplete((_, fault) -> operation.wasRead(fault));
    }
  }

  private void complete(Submission submission, long result) {
    completions.put(new Completion(submission.own(), result));
    running.arriveAndDeregister();
  }

  private static @Nullable Throwable cause(@Nullable Throwable fault) {
    return fault instanceof CompletionException && fault.getCause() != null
        ? fault.getCause()
        : fault;
  }

  /** One that was taken and is not completed yet. */
  private final class Operation implements RingFile.Outcome {
    private final Submission submission;
    private final RingFile file;

    Operation(Submission submission, RingFile file) {
      this.submission = submission;
      this.file = file;
    }

    MemorySegment memory() {
      return memory.data().asSlice(submission.place(), submission.length());
    }

    /** A read that may have to wait, or ends past the end of its file. */
    void readSlowly() {
      Thread.ofVirtual()
          .name("agent-ring-read")
          .start(() -> {
            try {
              var _ =
                  file.read(submission.offset(), memory())
                      .whenComplete((count, fault) -> ended(count == null ? 0 : count, fault));
            } catch (RuntimeException e) {
              ended(0, e);
            }
          });
    }

    void wasRead(@Nullable Throwable fault) {
      if (cause(fault) instanceof LuciolaException e && e.code() == ErrorCode.INVALID_ARGUMENT) {
        readSlowly(); // the file was cut meanwhile
      } else {
        ended(submission.length(), fault);
      }
    }

    @Override
    public void ended(long count, @Nullable Throwable fault) {
      file.end();
      if (fault == null) {
        if (submission.operation() == Submission.READ) {
          bytes.add(count);
        }
        complete(submission, count);
      } else {
        complete(submission, -errno(fault));
      }
    }

    private int errno(Throwable fault) {
      Throwable cause = cause(fault);
      if (faults.incrementAndGet() <= FAULTS_TOLD) {
        LOG.warn("operation of a ring failed submission={} cause={}", submission, cause + "");
      }
      int errno = cause instanceof LuciolaException e ? e.code().errno() : 0;
      return errno == 0 ? ErrorCode.INTERNAL.errno() : errno;
    }
  }

  /**
   * Takes nothing more, waits for what is under way, makes durable what was written, closes all
   * files and frees the memory. No file may be being opened or closed.
   */
  @Override
  public void close() {
    closed = true;
    agentWakes.wake();
    boolean interrupted = await();
    for (Map.Entry<Integer, RingFile> each : open.entrySet()) {
      try {
        each.getValue().close();
      } catch (RuntimeException e) {
        LOG.warn("file of a ring closed with a fault file={} cause={}", each.getKey(), e + "");
      }
    }
    open.clear();
    agentWakes.close();
    ownerWakes.close();
    region.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Until nothing touches the memory; returns whether this thread was interrupted meanwhile. */
  private boolean await() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    running.arriveAndAwaitAdvance();
    return interrupted;
  }
}
