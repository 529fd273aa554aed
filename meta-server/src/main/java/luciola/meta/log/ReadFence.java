package luciola.meta.log;

import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import luciola.meta.cluster.ReadRounds;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Threads and time around {@link ReadRounds}. Any thread; answers are given outside of the lock.
 */
final class ReadFence implements AutoCloseable {
  private static final long ROUND_MILLIS = 200;

  private final ReadRounds<CompletableFuture<Void>> rounds;
  private final Supplier<OptionalLong> term;
  private final LongConsumer ask;
  private final LogListener listener;
  private final String refusal;
  private final ScheduledThreadPoolExecutor timer;

  /**
   * Begins.
   *
   * @param term of {@link ReadRounds#read}
   * @param ask sends the question of a round
   * @param refusal what to say when a read cannot be answered here
   */
  ReadFence(
      int othersNeeded,
      long readNanos,
      Supplier<OptionalLong> term,
      LongConsumer ask,
      LogListener listener,
      String refusal) {
    this.rounds =
        new ReadRounds<>(othersNeeded, TimeUnit.MILLISECONDS.toNanos(ROUND_MILLIS), readNanos);
    this.term = term;
    this.ask = ask;
    this.listener = listener;
    this.refusal = refusal;
    this.timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("meta-reads").daemon().factory());
    var _ =
        timer.scheduleWithFixedDelay(
            this::tick, ROUND_MILLIS, ROUND_MILLIS / 4, TimeUnit.MILLISECONDS);
  }

  CompletableFuture<Void> pass() {
    var read = new CompletableFuture<Void>();
    OptionalLong now = term.get();
    List<ReadRounds.Effect<CompletableFuture<Void>>> effects;
    synchronized (rounds) {
      effects = rounds.read(read, now, System.nanoTime());
    }
    carryOut(effects);
    return read;
  }

  void answered(long round, int member, long itsTerm) {
    OptionalLong now = term.get();
    List<ReadRounds.Effect<CompletableFuture<Void>>> effects;
    synchronized (rounds) {
      effects = rounds.answered(round, member, itsTerm, now, System.nanoTime());
    }
    carryOut(effects);
  }

  private void tick() {
    synchronized (rounds) {
      if (rounds.isIdle()) {
        return;
      }
    }
    OptionalLong now = term.get();
    List<ReadRounds.Effect<CompletableFuture<Void>>> effects;
    synchronized (rounds) {
      effects = rounds.tick(now, System.nanoTime());
    }
    carryOut(effects);
  }

  private void carryOut(List<ReadRounds.Effect<CompletableFuture<Void>>> effects) {
    for (ReadRounds.Effect<CompletableFuture<Void>> effect : effects) {
      switch (effect) {
        case ReadRounds.Effect.Ask<CompletableFuture<Void>>(long round, long _) ->
            ask.accept(round);
        case ReadRounds.Effect.Release<CompletableFuture<Void>>(var reads) ->
            listener.answering(() -> reads.forEach(read -> read.complete(null)));
        case ReadRounds.Effect.Refuse<CompletableFuture<Void>>(var reads) ->
            listener.answering(() ->
                reads.forEach(read ->
                    read.completeExceptionally(
                        new LuciolaException(ErrorCode.NOT_LEADER, refusal))));
      }
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
    List<ReadRounds.Effect<CompletableFuture<Void>>> effects;
    synchronized (rounds) {
      effects = rounds.tick(OptionalLong.empty(), System.nanoTime());
    }
    carryOut(effects);
  }
}
