package luciola.cli.terminal;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Shows how far a transfer is: nothing in the first two seconds, then one line that is rewritten on
 * a terminal, or a line every five seconds elsewhere. Workers add to counters; a thread of its own
 * prints.
 */
public final class Progress implements AutoCloseable {
  private static final long QUIET_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long TERMINAL_NANOS = Duration.ofMillis(200).toNanos();
  private static final long PLAIN_NANOS = Duration.ofSeconds(5).toNanos();

  private final Invocation invocation;
  private final String verb;
  private final long startNanos = System.nanoTime();
  private final AtomicLong filesDone = new AtomicLong();
  private final AtomicLong filesKnown = new AtomicLong();
  private final AtomicLong bytesDone = new AtomicLong();
  private final AtomicLong bytesKnown = new AtomicLong();
  private final AtomicBoolean allKnown = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread printer;
  private volatile boolean printed;

  /** Starts counting. */
  public Progress(Invocation invocation, String verb) {
    this.invocation = invocation;
    this.verb = verb;
    this.printer = Thread.ofPlatform().daemon().name("progress").start(this::print);
  }

  /** A file to transfer was found. */
  public void found(long bytes) {
    filesKnown.incrementAndGet();
    bytesKnown.addAndGet(bytes);
  }

  /** Nothing more will be found: from now on the time left is known. */
  public void foundAll() {
    allKnown.set(true);
  }

  public void moved(long bytes) {
    bytesDone.addAndGet(bytes);
  }

  public void fileDone() {
    filesDone.incrementAndGet();
  }

  public long files() {
    return filesDone.get();
  }

  public long bytes() {
    return bytesDone.get();
  }

  public long elapsedNanos() {
    return System.nanoTime() - startNanos;
  }

  /** Files, bytes and rate so far. */
  public String summary() {
    long nanos = elapsedNanos();
    return Units.count(files(), "file")
        + ", "
        + Units.bytes(bytes())
        + " in "
        + Units.duration(Duration.ofNanos(nanos))
        + " ("
        + Units.rate(bytes(), nanos)
        + ")";
  }

  private void print() {
    long wait = QUIET_NANOS;
    while (!closed.get()) {
      LockSupport.parkNanos(this, wait);
      if (closed.get() || elapsedNanos() < QUIET_NANOS) {
        continue;
      }
      wait = invocation.interactive() ? TERMINAL_NANOS : PLAIN_NANOS;
      printed = true;
      invocation.err().print(invocation.interactive() ? "\r\033[K" + line() : line() + "\n");
      invocation.err().flush();
    }
  }

  private String line() {
    long nanos = elapsedNanos();
    long done = bytes();
    long known = bytesKnown.get();
    String left = "";
    if (allKnown.get() && done > 0) {
      left =
          ", "
              + Units.duration(Duration.ofNanos((long) ((double) nanos / done * (known - done))))
              + " left";
    }
    return String.format(
        "%s %d of %d%s files, %s of %s, %s%s",
        verb,
        files(),
        filesKnown.get(),
        allKnown.get() ? "" : "+",
        Units.bytes(done),
        Units.bytes(known),
        Units.rate(done, nanos),
        left);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      LockSupport.unpark(printer);
      try {
        printer.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      if (printed && invocation.interactive()) {
        invocation.err().print("\r\033[K");
        invocation.err().flush();
      }
    }
  }
}
