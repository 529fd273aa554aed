package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.ClosedRun;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives space of half-empty runs back: chooses the emptiest runs whose blocks find room in the
 * others, closes them, and moves what lies in them, each chunk in order with its updates. Whose the
 * blocks are is found by reading all records once in a pass: a pass is rare, and an index from
 * blocks to chunks would cost every write.
 *
 * <p>Runs when space is short, or when it is asked to. Bytes moved per second are bounded. A closed
 * run that does not become empty is opened again.
 */
final class Compactor implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Compactor.class);
  private static final int PAGE = 64;
  private static final int RUNS_MAX = 32;
  private static final long PASS_BYTES_MAX = 4L << 30;
  private static final long RETRY_NANOS = 1_000_000_000;

  private final String name;
  private final long bytesPerSecond;
  private final ChunkIndex index;
  private final ChunkStates states;
  private final BlockStore blocks;
  private final Writers writers;
  private final RecordChanges changes;
  private final PayloadPool scratch;
  private final LongSupplier nanos;
  private final EngineThreads.Lane lane;
  private final AtomicBoolean running = new AtomicBoolean();
  private final AtomicLong movedBytes = new AtomicLong();
  private volatile long fruitlessNanos;
  private volatile boolean fruitless;

  Compactor(
      String name,
      EngineParts parts,
      ChunkIndex index,
      ChunkStates states,
      BlockStore blocks,
      Writers writers,
      RecordChanges changes) {
    this.name = name;
    this.bytesPerSecond = parts.config().compactBytesPerSecond();
    this.index = index;
    this.states = states;
    this.blocks = blocks;
    this.writers = writers;
    this.changes = changes;
    this.scratch = parts.scratch();
    this.nanos = parts.nanos();
    this.lane = parts.threads().lane(name + "-compact");
  }

  /** One pass. Belongs to the compaction lane. */
  private static final class Pass {
    final List<ClosedRun> runs;
    final CompletableFuture<Long> done;
    final long allocatedBefore;
    volatile boolean full;

    Pass(List<ClosedRun> runs, CompletableFuture<Long> done, long allocatedBefore) {
      this.runs = runs;
      this.done = done;
      this.allocatedBefore = allocatedBefore;
    }

    boolean holds(BlockRef block) {
      return runs.stream().anyMatch(run -> run.holds(block));
    }
  }

  /** Space is short: starts a pass, unless one runs or the last one found nothing a moment ago. */
  void needed() {
    if (!fruitless || nanos.getAsLong() - fruitlessNanos > RETRY_NANOS) {
      var _ = run();
    }
  }

  /** Bytes moved since the start. */
  long movedBytes() {
    return movedBytes.get();
  }

  /** Runs a pass; completes with the bytes that it gave back, 0 if one is running already. */
  CompletableFuture<Long> run() {
    var done = new CompletableFuture<Long>();
    if (running.getAndSet(true)) {
      done.complete(0L);
      return done;
    }
    later(0, () -> begin(done), done);
    return done;
  }

  private void later(long millis, Runnable work, CompletableFuture<Long> done) {
    try {
      if (millis > 0) {
        lane.executeAfter(millis, work);
      } else {
        lane.execute(work);
      }
    } catch (RejectedExecutionException e) {
      running.set(false);
      done.complete(0L);
    }
  }

  private void begin(CompletableFuture<Long> done) {
    long allocated = blocks.preallocatedBytes();
    var runs = new ArrayList<ClosedRun>();
    long bytes = 0;
    Optional<ClosedRun> next = blocks.closeEmptiest();
    while (next.isPresent()) {
      runs.add(next.get());
      bytes += (long) next.get().taken() * next.get().blockClass().blockBytes();
      boolean more = runs.size() < RUNS_MAX && bytes < PASS_BYTES_MAX;
      next = more ? blocks.closeEmptiest() : Optional.empty();
    }
    var pass = new Pass(List.copyOf(runs), done, allocated);
    if (runs.isEmpty()) {
      end(pass);
    } else {
      page(pass, ChunkKey.first(new ChainId(1)));
    }
  }

  private void page(Pass pass, ChunkKey from) {
    List<ChunkIndex.Entry> page = index.chunks(from, PAGE);
    var moves = new ArrayList<CompletableFuture<Long>>();
    for (ChunkIndex.Entry entry : page) {
      if (entry.record().blocks().stream().anyMatch(pass::holds)) {
        moves.add(move(entry.chunk(), pass));
      }
    }
    Optional<ChunkKey> next = page.size() < PAGE ? Optional.empty() : page.getLast().chunk().next();
    var _ =
        CompletableFuture.allOf(moves.toArray(CompletableFuture[]::new))
            .whenComplete((_, _) -> {
              long bytes = moves.stream().mapToLong(move -> move.getNow(0L)).sum();
              movedBytes.addAndGet(bytes);
              boolean last = next.isEmpty() || pass.full;
              later(
                  bytes * 1000 / bytesPerSecond,
                  last ? () -> end(pass) : () -> page(pass, next.get()),
                  pass.done);
            });
  }

  private CompletableFuture<Long> move(ChunkKey chunk, Pass pass) {
    var done = new CompletableFuture<Long>();
    try {
      writers.execute(
          chunk,
          writer -> {
            try {
              moveBlocks(writer, chunk, pass, done);
            } catch (IOException | RuntimeException e) {
              log.warn("chunk was not moved engine={} chunk={}", name, chunk, e);
              pass.full = true;
              done.complete(0L);
            }
          });
    } catch (LuciolaException e) {
      pass.full = true;
      done.complete(0L);
    }
    return done;
  }

  /**
   * On the chunk's writer lane. Completes when the moved bytes are durable and their place free.
   */
  private void moveBlocks(
      VersionWriter writer, ChunkKey chunk, Pass pass, CompletableFuture<Long> done)
      throws IOException {
    ChunkRecord record = states.movable(chunk);
    var moves = new ArrayList<CompletableFuture<Boolean>>();
    long bytes = 0;
    for (BlockRef from : record.blocks()) {
      if (pass.holds(from)) {
        BlockUse use = BlockUse.of(record, from);
        BlockRef to = copy(writer, from, use);
        if (to != null) {
          bytes += use.bytes();
          moves.add(changes.move(chunk, from, to));
        }
      }
    }
    long moved = bytes;
    var _ =
        CompletableFuture.allOf(moves.toArray(CompletableFuture[]::new))
            .whenComplete((_, failed) -> done.complete(failed == null ? moved : 0L));
  }

  /** Null if the bytes are bad (the scrub will find them too), or if there is no memory now. */
  private @Nullable BlockRef copy(VersionWriter writer, BlockRef from, BlockUse use)
      throws IOException {
    Optional<PayloadBuffer> buffer =
        scratch.tryAcquire(Math.max(BlockClass.PAGE_BYTES, BlockClass.pageCeiling(use.bytes())));
    if (buffer.isEmpty()) {
      return null;
    }
    try {
      MemorySegment bytes = buffer.get().segment();
      blocks.file(from).readDevice(from.position(), bytes);
      return use.isGood(bytes) ? writer.writePages(bytes, from.blockClass()) : null;
    } finally {
      buffer.get().release();
    }
  }

  private void end(Pass pass) {
    pass.runs.forEach(blocks::reopen);
    long gained = Math.max(0, pass.allocatedBefore - blocks.preallocatedBytes());
    fruitless = gained == 0;
    fruitlessNanos = nanos.getAsLong();
    if (!pass.runs.isEmpty()) {
      log.info(
          "compaction pass engine={} runs={} gainedBytes={} movedBytes={}",
          name,
          pass.runs.size(),
          gained,
          movedBytes.get());
    }
    running.set(false);
    pass.done.complete(gained);
  }

  @Override
  public void close() {
    lane.close();
  }
}
