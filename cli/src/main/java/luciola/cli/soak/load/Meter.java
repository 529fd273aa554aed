package luciola.cli.soak.load;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import luciola.cli.soak.load.OperationKind.Side;

/** Counts operations by kind, what they moved, how long the longest took and how they failed. */
public final class Meter {
  /** What is told of silence. */
  public interface Silence {
    /** No client has had an answer of {@code side} for {@code nanos}, until now. */
    void ended(Side side, long nanos);
  }

  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier clock;
  private final EnumMap<Side, Long> answered = new EnumMap<>(Side.class);
  private volatile Silence silence = (_, _) -> {};
  private final EnumMap<OperationKind, Figures> figures = new EnumMap<>(OperationKind.class);
  private final Map<String, Long> errors = new TreeMap<>();

  Meter(LongSupplier clock) {
    this.clock = clock;
  }

  private static final class Figures {
    long operations;
    long blocks;
    long bytes;
    long nanos;
    long longestNanos;
    long lastEnd;
    long longestGap;
  }

  /**
   * The figures of one kind.
   *
   * @param operations that succeeded
   * @param blocks written, or read and verified
   * @param longestMillis from the first try of an operation to its success
   * @param longestGapMillis between two successes, whichever clients had them
   */
  public record Row(
      OperationKind kind,
      long operations,
      long blocks,
      long bytes,
      double meanMillis,
      double longestMillis,
      double longestGapMillis) {}

  /** Has {@code told} hear of every second and more without an answer, on any thread. */
  public void onSilence(Silence told) {
    silence = told;
  }

  void done(OperationKind kind, long startedNanos, int blocks, long bytes) {
    Side side = kind.side();
    long silent;
    synchronized (this) {
      long now = clock.getAsLong();
      count(kind, startedNanos, now, blocks, bytes);
      Long before = side == null ? null : answered.put(side, now);
      silent = before == null ? 0 : now - before;
    }
    if (side != null && silent >= SILENCE_NANOS) {
      silence.ended(side, silent);
    }
  }

  private void count(OperationKind kind, long startedNanos, long now, int blocks, long bytes) {
    Figures of = figures.computeIfAbsent(kind, _ -> new Figures());
    of.operations++;
    of.blocks += blocks;
    of.bytes += bytes;
    of.nanos += now - startedNanos;
    of.longestNanos = Math.max(of.longestNanos, now - startedNanos);
    if (of.lastEnd != 0) {
      of.longestGap = Math.max(of.longestGap, now - of.lastEnd);
    }
    of.lastEnd = now;
  }

  synchronized void failed(OperationKind kind, String code) {
    errors.merge(kind + " " + code, 1L, Long::sum);
  }

  /** One row for each kind that happened. */
  public synchronized List<Row> rows() {
    return figures.entrySet().stream()
        .map(entry -> {
          Figures of = entry.getValue();
          return new Row(
              entry.getKey(),
              of.operations,
              of.blocks,
              of.bytes,
              of.nanos / 1e6 / of.operations,
              of.longestNanos / 1e6,
              of.longestGap / 1e6);
        })
        .toList();
  }

  /** Failed tries by kind and code: what a client was told, before it tried again. */
  public synchronized Map<String, Long> errors() {
    return new TreeMap<>(errors);
  }
}
