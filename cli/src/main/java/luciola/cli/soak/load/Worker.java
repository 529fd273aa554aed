package luciola.cli.soak.load;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What writers and readers have in common: one thread, one source of choices, retries, figures. */
abstract class Worker implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final long AGAIN_NANOS = 20_000_000;

  private final String name;
  private final BooleanSupplier stopping;
  private final LoadOptions options;
  private final Meter meter;
  private final Findings findings;
  private final RandomGenerator random;
  private volatile long operationSince;
  private volatile @Nullable OperationKind operation;
  private volatile String about = "";

  Worker(
      String name,
      LoadOptions options,
      Meter meter,
      Findings findings,
      RandomGenerator random,
      BooleanSupplier stopping) {
    this.name = name;
    this.options = options;
    this.meter = meter;
    this.findings = findings;
    this.random = random;
    this.stopping = stopping;
  }

  /** One operation; returns when it has ended. */
  abstract void step() throws InterruptedException;

  /** Gives up what the worker holds. */
  abstract void end();

  @Override
  public final void run() {
    try {
      while (!stopping.getAsBoolean()) {
        step();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error broken) {
      findings.add("worker goes on", name, "no exception", text(broken));
      LOG.error("a worker ends name={}", name, broken);
    } finally {
      end();
    }
  }

  final RandomGenerator random() {
    return random;
  }

  final Meter meter() {
    return meter;
  }

  final Findings findings() {
    return findings;
  }

  final LoadOptions options() {
    return options;
  }

  /** An operation begins; returns the time. */
  final long begin(OperationKind kind, String on) {
    long now = System.nanoTime();
    about = on;
    operationSince = now;
    operation = kind;
    return now;
  }

  final void ended() {
    operation = null;
  }

  final String about() {
    return name + " " + about;
  }

  /** What it does, if it is at it for longer than this. */
  final @Nullable String slowerThan(long nanos) {
    OperationKind kind = operation;
    long age = System.nanoTime() - operationSince;
    return kind == null || age < nanos
        ? null
        : name + " " + kind + " " + about + " for " + age / 1_000_000_000 + " s";
  }

  /** Something that may fail and be tried again. */
  interface Attempt {
    void run();
  }

  /** Tries until it succeeds. */
  final Outcome insist(OperationKind kind, Attempt attempt) {
    long deadline = System.nanoTime() + options.giveUpNanos();
    boolean failed = false;
    while (true) {
      try {
        attempt.run();
        return failed ? Outcome.DONE_LATER : Outcome.DONE;
      } catch (LuciolaException e) {
        failed = true;
        meter.failed(kind, e.code().name());
        if (e.code() == ErrorCode.BAD_SESSION || e.code() == ErrorCode.STALE_HANDLE) {
          return Outcome.UNKNOWN;
        }
        if (e.code() == ErrorCode.NOT_FOUND || e.code() == ErrorCode.EXISTS) {
          throw e;
        }
        if (System.nanoTime() - deadline > 0) {
          return Outcome.UNKNOWN;
        }
        LockSupport.parkNanos(AGAIN_NANOS);
      }
    }
  }

  enum Outcome {
    DONE,
    DONE_LATER,
    UNKNOWN
  }

  static LuciolaException fault(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof LuciolaException fault
        ? fault
        : new LuciolaException(ErrorCode.INTERNAL, "load: " + text(cause), cause);
  }

  private static String text(Throwable failure) {
    return failure.toString();
  }
}
