package luciola.cli.transfer;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import luciola.cli.ErrorLine;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Progress;
import luciola.cli.terminal.Units;

/**
 * One run of a copying command: workers, buffers, progress, counts and what went wrong. The thread
 * that walks the tree calls {@link #submit} and waits there while enough is queued.
 */
final class Transfer implements AutoCloseable {
  private static final int READS_AHEAD = 4;
  private static final int QUEUED_PER_WORKER = 4;

  /** Small files under way for each worker: they wait for answers, and for nothing else. */
  private static final int SMALL_PER_WORKER = 4;

  private static final int FAILURES_SHOWN_MAX = 20;

  /** Copies one file. */
  @FunctionalInterface
  interface Task {
    /** Returns whether something was copied; false if it was left out as already there. */
    boolean run() throws IOException, InterruptedException;
  }

  /** Does a part of something that counts by itself. */
  @FunctionalInterface
  interface Part {
    void run() throws InterruptedException;
  }

  private final Invocation invocation;
  private final String command;
  private final boolean json;
  private final boolean dryRun;
  private final ExecutorService workers;
  private final ExecutorService smallFiles = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore queued;
  private final int queuedMax;
  private final Semaphore small;
  private final int smallMax;
  private final AtomicLong failures = new AtomicLong();
  private final List<String> shown = new ArrayList<>();
  private final AtomicLong links = new AtomicLong();
  private final AtomicLong directories = new AtomicLong();
  private final AtomicLong leftOut = new AtomicLong();
  private final AtomicLong copiedBytes = new AtomicLong();
  private final AtomicLong leftOutBytes = new AtomicLong();
  private final AtomicLong resumedBytes = new AtomicLong();
  private final AtomicLong verified = new AtomicLong();
  private final AtomicLong changed = new AtomicLong();
  private final AtomicLong deleted = new AtomicLong();
  private final FileCopy copy;
  private final Progress progress;
  private final Unfinished unfinished = new Unfinished();

  Transfer(Invocation invocation, String command, TransferOptions options) {
    int parallel = options.parallel;
    this.json = options.json;
    this.dryRun = options.dryRun;
    this.invocation = invocation;
    this.command = command;
    this.workers =
        Executors.newFixedThreadPool(
            parallel, Thread.ofPlatform().daemon().name("transfer-", 0).factory());
    this.queuedMax = parallel * QUEUED_PER_WORKER;
    this.queued = new Semaphore(queuedMax, true);
    this.smallMax = parallel * SMALL_PER_WORKER;
    this.small = new Semaphore(smallMax, true);
    this.copy = new FileCopy(new Buffers(parallel + READS_AHEAD, parallel + smallMax), READS_AHEAD);
    this.progress = new Progress(invocation, command);
  }

  FileCopy copy() {
    return copy;
  }

  Unfinished unfinished() {
    return unfinished;
  }

  /** A file to be copied. */
  void found(long bytes) {
    progress.found(bytes);
  }

  void moved(long bytes) {
    copiedBytes.addAndGet(bytes);
    progress.moved(bytes);
  }

  /** Bytes of an unfinished file that are there from an earlier run. */
  void resumed(long bytes) {
    resumedBytes.addAndGet(bytes);
    progress.moved(bytes);
  }

  /** A file that is there already. */
  void leftOut(long bytes) {
    leftOut.incrementAndGet();
    leftOutBytes.addAndGet(bytes);
  }

  void fileDone() {
    progress.fileDone();
  }

  void linkDone() {
    links.incrementAndGet();
  }

  void directoryMade() {
    directories.incrementAndGet();
  }

  void verified() {
    verified.incrementAndGet();
  }

  void changed() {
    changed.incrementAndGet();
  }

  void deleted() {
    deleted.incrementAndGet();
  }

  long failures() {
    return failures.get();
  }

  /** Says on standard output what would be done. */
  void wouldDo(String what, String path) {
    if (json) {
      Json.print(invocation.out(), Map.of("would", what, "path", path));
    } else {
      invocation.out().println(what + " " + path);
    }
  }

  /** Queues a file; waits while the queue is full. */
  void submit(String name, long bytes, Task task) throws InterruptedException {
    progress.found(bytes);
    Part part =
        () -> {
          try {
            if (task.run()) {
              progress.fileDone();
            }
          } catch (IOException | RuntimeException failure) {
            failed(name, failure);
          }
        };
    if (bytes < Buffers.SMALL_BYTES) {
      execute(part, smallFiles, small);
    } else {
      execute(part);
    }
  }

  /** Queues a part; waits while the queue is full. */
  void execute(Part part) throws InterruptedException {
    execute(part, workers, queued);
  }

  private static void execute(Part part, ExecutorService by, Semaphore room)
      throws InterruptedException {
    room.acquire();
    by.execute(() -> {
      try {
        part.run();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } finally {
        room.release();
      }
    });
  }

  /** Notes that one entry could not be copied. */
  void failed(String name, Throwable failure) {
    String reason = ErrorLine.of(failure);
    String line = (reason.contains(name) ? "" : name + ": ") + reason;
    if (failures.getAndIncrement() < FAILURES_SHOWN_MAX) {
      synchronized (shown) {
        shown.add(line);
      }
      invocation.err().println("luciola: " + line);
    }
  }

  /** Waits until nothing is queued; more may come. */
  void drain() throws InterruptedException {
    queued.acquire(queuedMax);
    queued.release(queuedMax);
    small.acquire(smallMax);
    small.release(smallMax);
  }

  /** Waits for everything queued; nothing comes after it. */
  void await() throws InterruptedException {
    progress.foundAll();
    for (ExecutorService each : List.of(workers, smallFiles)) {
      each.shutdown();
      while (!each.awaitTermination(1, TimeUnit.MINUTES)) {}
    }
  }

  /** Prints the sums and returns the exit code. */
  int report() {
    progress.close();
    if (json) {
      Json.print(invocation.out(), summary());
    } else if (!dryRun) {
      invocation.err().println(line());
    }
    if (failures.get() == 0) {
      return ExitCode.DONE;
    }
    long did = progress.files() + leftOut.get() + links.get() + changed.get() + deleted.get();
    return did > 0 ? ExitCode.PARTIAL : ExitCode.FAILED;
  }

  private String line() {
    long nanos = progress.elapsedNanos();
    var line = new StringBuilder();
    line.append(Units.count(progress.files(), "file"))
        .append(", ")
        .append(Units.bytes(copiedBytes.get()))
        .append(" in ")
        .append(Units.duration(Duration.ofNanos(nanos)))
        .append(" (")
        .append(Units.rate(copiedBytes.get(), nanos))
        .append(')');
    more(line, links.get() > 0, Units.count(links.get(), "link"));
    more(line, leftOut.get() > 0, leftOut.get() + " already there");
    more(line, resumedBytes.get() > 0, Units.bytes(resumedBytes.get()) + " there from before");
    more(line, verified.get() > 0, verified.get() + " verified");
    more(line, changed.get() > 0, changed.get() + " changed");
    more(line, deleted.get() > 0, deleted.get() + " deleted");
    more(line, failures.get() > 0, Units.count(failures.get(), "failure"));
    return line.toString();
  }

  private static void more(StringBuilder line, boolean wanted, String text) {
    if (wanted) {
      line.append(", ").append(text);
    }
  }

  private Summary summary() {
    synchronized (shown) {
      return new Summary(
          command,
          dryRun,
          progress.files(),
          links.get(),
          directories.get(),
          leftOut.get(),
          copiedBytes.get(),
          leftOutBytes.get(),
          resumedBytes.get(),
          verified.get(),
          changed.get(),
          deleted.get(),
          failures.get(),
          List.copyOf(shown),
          progress.elapsedNanos() / 1e9);
    }
  }

  @Override
  public void close() {
    workers.shutdownNow();
    smallFiles.shutdownNow();
    progress.close();
    unfinished.close();
  }
}
