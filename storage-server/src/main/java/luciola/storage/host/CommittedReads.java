package luciola.storage.host;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import luciola.protocol.connection.Call;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ReadRequest;
import luciola.storage.engine.HeldVersion;
import luciola.storage.replica.ChainRunner;
import luciola.storage.replica.ReadBatch;
import org.jspecify.annotations.Nullable;

/**
 * Reads of clients. A range whose chunk has nothing pending is served right on a reading thread, as
 * its replica's {@link luciola.storage.chain.ReadPermit} allows; the others are handed to their
 * chains' owners, those of one chain together. A long batch is cut into slices, so that several
 * threads read for it.
 */
final class CommittedReads {
  private static final int SLICE_RANGES_MIN = 16;

  private final Runners runners;
  private final Executor readers;
  private final int readThreads;
  private final LongSupplier clock;
  private final Runnable refreshRouting;

  /**
   * @param clock monotonic nanoseconds, of the leases
   * @param refreshRouting asks for newer routing; does not block
   */
  CommittedReads(
      Runners runners,
      Executor readers,
      int readThreads,
      LongSupplier clock,
      Runnable refreshRouting) {
    this.runners = runners;
    this.readers = readers;
    this.readThreads = readThreads;
    this.clock = clock;
    this.refreshRouting = refreshRouting;
  }

  /** Answers the call, sooner or later. Does not block. */
  void read(Call call, ReadRequest request) {
    int count = request.ranges().size();
    var batch = new ReadBatch(call, count, clock);
    int slice = Math.max(SLICE_RANGES_MIN, (count + readThreads - 1) / readThreads);
    for (int at = 0; at < count; at += slice) {
      int from = at;
      int to = Math.min(count, at + slice);
      try {
        readers.execute(() -> new Slice(batch, request.ranges(), from, to).run());
      } catch (RejectedExecutionException e) {
        for (int i = from; i < to; i++) {
          new ReadBatch.Slot(batch, i).failed(ErrorCode.SHUTTING_DOWN);
        }
      }
    }
  }

  /** Some ranges of a batch that one thread serves. */
  private final class Slice {
    private final ReadBatch batch;
    private final List<ReadRequest.Range> ranges;
    private final int from;
    private final @Nullable ChainRunner[] found;
    private final @Nullable HeldVersion[] held;
    private final long[] leaseUntilNanos;

    Slice(ReadBatch batch, List<ReadRequest.Range> ranges, int from, int to) {
      this.batch = batch;
      this.ranges = ranges;
      this.from = from;
      this.found = new ChainRunner[to - from];
      this.held = new HeldVersion[to - from];
      this.leaseUntilNanos = new long[to - from];
    }

    void run() {
      Map<ChainRunner, List<Integer>> undecided = hold();
      undecided.forEach(this::handOver);
      for (int i = 0; i < held.length; i++) {
        HeldVersion version = held[i];
        ChainRunner runner = found[i];
        if (version != null && runner != null) {
          slot(i).read(runner.engine(), version, ranges.get(from + i), leaseUntilNanos[i]);
        }
      }
    }

    /** Holds the versions of ranges that need no decision; the others, by their chain. */
    private Map<ChainRunner, List<Integer>> hold() {
      Map<ChainRunner, List<Integer>> undecided = Map.of();
      boolean unknown = false;
      @Nullable ChainRunner last = null;
      for (int i = 0; i < held.length; i++) {
        ReadRequest.Range range = ranges.get(from + i);
        ChainRunner runner =
            last != null && last.isAt(range.chain(), range.target())
                ? last
                : runners.find(range.chain(), range.target()).orElse(null);
        if (runner == null) {
          slot(i).failed(ErrorCode.UNKNOWN_CHAIN);
          unknown = true;
          continue;
        }
        last = runner;
        found[i] = runner;
        leaseUntilNanos[i] = runner.permit().leaseUntilNanos();
        held[i] = holdCommitted(runner, range);
        if (held[i] == null) {
          undecided = undecided.isEmpty() ? new LinkedHashMap<>() : undecided;
          undecided.computeIfAbsent(runner, _ -> new ArrayList<>()).add(i);
        }
      }
      if (unknown) {
        refreshRouting.run();
      }
      return undecided;
    }

    private @Nullable HeldVersion holdCommitted(ChainRunner runner, ReadRequest.Range range) {
      try {
        return runner.holdCommitted(range);
      } catch (RuntimeException e) {
        return null; // The owner meets it again and answers with its code.
      }
    }

    private void handOver(ChainRunner runner, List<Integer> places) {
      runner.read(
          places.stream().map(this::slot).toList(),
          places.stream().map(i -> ranges.get(from + i)).toList());
    }

    private ReadBatch.Slot slot(int i) {
      return new ReadBatch.Slot(batch, from + i);
    }
  }
}
