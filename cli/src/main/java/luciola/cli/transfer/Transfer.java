package luciola.cli.transfer;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import luciola.cli.ErrorLine;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Progress;
import luciola.cli.terminal.Units;

/**
 * One run of a copying command: workers, buffers, progress and what went wrong. The thread that
 * walks the tree calls {@link #submit} and waits there while enough files are queued.
 */
final class Transfer implements AutoCloseable {
  private static final int READS_AHEAD = 4;
  private static final int QUEUED_PER_WORKER = 4;
  private static final int FAILURES_SHOWN_MAX = 20;

  /** Copies one file. */
  @FunctionalInterface
  interface Task {
    /** Returns whether something was copied; false if it was left out as already there. */
    boolean run() throws IOException, InterruptedException;
  }

  private final Invocation invocation;
  private final ExecutorService workers;
  private final Semaphore queued;
  private final AtomicLong failures = new AtomicLong();
  private final AtomicLong leftOut = new AtomicLong();
  private final FileCopy copy;
  private final Progress progress;
  private final Unfinished unfinished = new Unfinished();

  Transfer(Invocation invocation, String verb, int parallel) {
    this.invocation = invocation;
    this.workers =
        Executors.newFixedThreadPool(
            parallel, Thread.ofPlatform().daemon().name("transfer-", 0).factory());
    this.queued = new Semaphore(parallel * QUEUED_PER_WORKER);
    this.copy = new FileCopy(new Buffers(parallel + READS_AHEAD, parallel), READS_AHEAD);
    this.progress = new Progress(invocation, verb);
  }

  FileCopy copy() {
    return copy;
  }

  Unfinished unfinished() {
    return unfinished;
  }

  Progress progress() {
    return progress;
  }

  /** Queues a file; waits while the queue is full. */
  void submit(String name, long bytes, Task task) throws InterruptedException {
    progress.found(bytes);
    queued.acquire();
    workers.execute(() -> {
      try {
        if (task.run()) {
          progress.fileDone();
        } else {
          leftOut.incrementAndGet();
        }
      } catch (IOException | RuntimeException failure) {
        failed(name, failure);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } finally {
        queued.release();
      }
    });
  }

  /** Notes that one entry could not be copied. */
  void failed(String name, Throwable failure) {
    long before = failures.getAndIncrement();
    if (before < FAILURES_SHOWN_MAX) {
      String reason = ErrorLine.of(failure);
      invocation.err().println("luciola: " + (reason.contains(name) ? "" : name + ": ") + reason);
    }
  }

  /** Waits for everything queued, prints the result and returns the exit code. */
  int finish() throws InterruptedException {
    progress.foundAll();
    workers.shutdown();
    while (!workers.awaitTermination(1, TimeUnit.MINUTES)) {}
    progress.close();
    long failed = failures.get();
    invocation
        .err()
        .println(
            progress.summary()
                + (leftOut.get() > 0 ? ", " + leftOut.get() + " already there" : "")
                + (failed > 0 ? ", " + Units.count(failed, "failure") : ""));
    if (failed == 0) {
      return ExitCode.DONE;
    }
    return progress.files() + leftOut.get() > 0 ? ExitCode.PARTIAL : ExitCode.FAILED;
  }

  @Override
  public void close() {
    workers.shutdownNow();
    progress.close();
    unfinished.close();
  }
}
