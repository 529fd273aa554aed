package luciola.storage.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.Bookkeeping;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.DedupEntry;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one lane that makes things durable, or for a lone update its writer in the lane's place: one
 * of them at a time. It takes everything that waits, flushes each file that was written once,
 * writes one batch of metadata, synced if any of it must be, and tells everybody. Items are written
 * in the order in which they were put. The bytes of small updates go into the batch instead of
 * being flushed, see {@link SmallWrites}.
 *
 * <p>What need not be durable when it is told, a commit mark, waits for the next item that must be,
 * or for an idle moment: it would cost as much as that one.
 *
 * <p>Blocks that a change freed go back to the free ones only after a synced write at or after that
 * change: until then a restart could find the old record. Where none comes by itself, an idle loop
 * makes one.
 */
final class CommitLoop implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CommitLoop.class);

  private final String name;
  private final EngineConfig config;
  private final ChunkIndex index;
  private final BlockStore blocks;
  private final Ledger ledger;
  private final EngineThreads.Lane lane;
  private final boolean oneThread;
  private final ConcurrentLinkedQueue<Item> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean awake = new AtomicBoolean();

  /** Items that wait: those that must be durable, and the others. */
  private final AtomicInteger urgent = new AtomicInteger();

  private final AtomicInteger unhurried = new AtomicInteger();
  private final AtomicBoolean idlePlanned = new AtomicBoolean();

  /** Whose turn it is to write: the lane's or, for a lone update, its writer's. */
  private final ReentrantLock turn = new ReentrantLock();

  private final SmallWrites small;
  private final List<BlockRef> freedNotSynced = new ArrayList<>();

  /** Groups that were written so far, and when the next idle moment was planned. */
  private final AtomicLong groups = new AtomicLong();

  private volatile long groupsWhenPlanned;

  /** While items are told: whether one thread made one update durable, and nobody waits for it. */
  private boolean lone;

  private volatile @Nullable IOException failure;

  CommitLoop(
      String name,
      EngineConfig config,
      ChunkIndex index,
      BlockStore blocks,
      Ledger ledger,
      EngineThreads threads) {
    this.name = name;
    this.config = config;
    this.index = index;
    this.blocks = blocks;
    this.ledger = ledger;
    this.lane = threads.lane(name + "-commit");
    this.oneThread = threads.oneThread();
    this.small = new SmallWrites(blocks);
  }

  /** Told by who commits once an item was written, or why it was not. Must not block. */
  @FunctionalInterface
  interface Outcome {
    void done(@Nullable IOException failed);
  }

  /**
   * One change.
   *
   * @param written bytes that must be durable first, or together with it
   * @param change what becomes of a chunk
   * @param dedups records to keep, each unless its channel has a newer one
   * @param expired records to forget, each unless its channel went on since
   * @param dropped versions whose records are to be forgotten
   * @param note of a chain
   * @param synced whether it must be durable when it is told
   */
  record Item(
      Optional<VersionWriter.Bytes> written,
      Optional<ChunkChange> change,
      List<DedupEntry> dedups,
      List<DedupEntry> expired,
      Optional<Dropped> dropped,
      Optional<Ledger.Note> note,
      boolean synced,
      Outcome outcome) {
    /** One that changes nothing but a chunk. */
    static Item of(ChunkChange change, boolean synced, Outcome outcome) {
      return new Item(
          Optional.empty(),
          Optional.of(change),
          List.of(),
          List.of(),
          Optional.empty(),
          Optional.empty(),
          synced,
          outcome);
    }

    /** One that changes nothing but dedup records, or nothing at all. */
    static Item of(List<DedupEntry> dedups, List<DedupEntry> expired, Outcome outcome) {
      return new Item(
          Optional.empty(),
          Optional.empty(),
          dedups,
          expired,
          Optional.empty(),
          Optional.empty(),
          true,
          outcome);
    }

    /** One that notes something of a chain. */
    static Item of(Ledger.Note note, Outcome outcome) {
      return new Item(
          Optional.empty(),
          Optional.empty(),
          List.of(),
          List.of(),
          Optional.empty(),
          Optional.of(note),
          true,
          outcome);
    }

    /** The same after the flush of some blocks' files. */
    Item touching(List<BlockRef> blocks) {
      Set<BlockClass> classes = new LinkedHashSet<>();
      blocks.forEach(block -> classes.add(block.blockClass()));
      return new Item(
          Optional.of(new VersionWriter.Bytes(classes, List.of())),
          change,
          dedups,
          expired,
          dropped,
          note,
          synced,
          outcome);
    }

    /** The same, with records of dropped versions forgotten. */
    Item dropping(Dropped gone) {
      return new Item(written, change, dedups, expired, Optional.of(gone), note, synced, outcome);
    }
  }

  /** Versions of a chunk that are no longer held. */
  record Dropped(ChunkKey chunk, ChunkVersion from) {
    boolean covers(DedupEntry entry) {
      return entry.chain().equals(chunk.chain())
          && entry.dedup().chunk().equals(chunk.chunk())
          && entry.dedup().version().compareTo(from) >= 0;
    }
  }

  /** Queues a change. Never waits: who makes changes bounds how many are under way. */
  void put(Item item) {
    if (item.synced()) {
      add(item);
      wake();
      return;
    }
    waiting.add(item);
    if (unhurried.incrementAndGet() >= config.groupMax()) {
      wake();
    }
    planIdle();
  }

  /** Queues a change; {@link #wake} or {@link #commitHere} is to follow. */
  void add(Item item) {
    urgent.incrementAndGet();
    waiting.add(item);
  }

  /** Of the item that is told now: whether it was a lone update, committed by its own writer. */
  boolean tellsLone() {
    return lone;
  }

  /**
   * Commits what waits on the caller's thread, if nobody commits now: for a lone update, which
   * would wait longer for the lane to wake up than for anything else but the flush. What comes
   * meanwhile is left to the lane.
   */
  void commitHere() {
    if (!oneThread && !awake.getAndSet(true)) {
      commitGroup(true);
      rest();
    } else {
      wake();
    }
  }

  /**
   * Waits until everything that was put is written, and freed blocks came back. Not on the commit
   * lane.
   *
   * @return whether the disk works
   */
  boolean settle() {
    var done = new CompletableFuture<Boolean>();
    put(Item.of(List.of(), List.of(), failed -> done.complete(failed == null)));
    if (oneThread) {
      commitAll();
    }
    return done.join();
  }

  void wake() {
    if (!awake.getAndSet(true)) {
      try {
        lane.execute(this::run);
      } catch (RejectedExecutionException e) {
        awake.set(false);
        Item late = waiting.poll();
        while (late != null) {
          tell(late, new IOException("engine is closed", e));
          late = waiting.poll();
        }
      }
    }
  }

  /** What broke the disk; empty while it works. Nothing is written after a failure. */
  Optional<IOException> failure() {
    return Optional.ofNullable(failure);
  }

  private void run() {
    commitAll();
    rest();
  }

  /** Nothing waits, or the lane goes on with it. */
  private void rest() {
    inTurn(() -> {
      if (!(freedNotSynced.isEmpty() && small.isEmpty())) {
        planIdle();
      }
    });
    awake.set(false);
    if (urgent.get() > 0) {
      wake();
    }
  }

  private void planIdle() {
    if (!idlePlanned.getAndSet(true)) {
      groupsWhenPlanned = groups.get();
      lane.executeAfter(config.idleSyncMillis(), () -> inTurn(this::idle));
    }
  }

  private void inTurn(Runnable work) {
    turn.lock();
    try {
      work.run();
    } finally {
      turn.unlock();
    }
  }

  /** Does something between two batches: what is stored does not change meanwhile. */
  void between(Runnable work) {
    lane.execute(() -> inTurn(work));
  }

  /** If nothing was written for a moment, writes and releases what waits for one. */
  private void idle() {
    idlePlanned.set(false);
    if (groups.get() != groupsWhenPlanned) {
      planIdle();
      return;
    }
    commitAll();
    releaseIdle();
  }

  /** Commits everything that waits. On the commit lane, or on the only thread there is. */
  void commitAll() {
    while (commitGroup(false)) {
      // The next one.
    }
  }

  /** Commits some of what waits; false if there was nothing. */
  private boolean commitGroup(boolean byWriter) {
    var group = new ArrayList<Item>();
    inTurn(() -> {
      int synced = takeGroup(group);
      lone = byWriter && synced == 1;
      try {
        if (!group.isEmpty()) {
          groups.incrementAndGet();
          commit(group);
        }
      } catch (RuntimeException e) {
        log.error("commit loop engine={}", name, e);
        fail(new IOException("commit loop failed", e));
      }
    });
    return !group.isEmpty();
  }

  /** Gives how many of the group must be durable. */
  private int takeGroup(List<Item> group) {
    int synced = 0;
    Item item = waiting.poll();
    while (item != null) {
      group.add(item);
      synced += item.synced() ? 1 : 0;
      item = group.size() < config.groupMax() ? waiting.poll() : null;
    }
    urgent.addAndGet(-synced);
    unhurried.addAndGet(synced - group.size());
    return synced;
  }

  private void commit(List<Item> group) {
    IOException failed = failure;
    if (failed == null) {
      try {
        write(group);
      } catch (IOException e) {
        failed = e;
      } catch (RuntimeException e) {
        failed = new IOException("commit failed: engine=" + name, e);
      }
      if (failed != null) {
        fail(failed);
      }
    }
    for (Item item : group) {
      tell(item, failed);
    }
  }

  private void tell(Item item, @Nullable IOException failed) {
    try {
      item.outcome().done(failed);
    } catch (RuntimeException e) {
      log.error("outcome of a commit engine={}", name, e);
    }
  }

  private void write(List<Item> group) throws IOException {
    boolean flushing = config.durability() == Durability.FLUSH;
    boolean synced = flushing && group.stream().anyMatch(Item::synced);
    Set<BlockClass> flushed = flushing ? flush(group) : Set.of();
    var records = new LinkedHashMap<ChunkKey, ChunkIndex.Entry>();
    var changes = new ArrayList<ChunkChange>();
    var notes = new ArrayList<Ledger.Note>();
    var dedups = new DedupChanges(index);
    for (Item item : group) {
      if (flushing) {
        keepUnflushed(item, flushed);
      }
      item.change()
          .ifPresent(change -> {
            records.put(change.chunk(), new ChunkIndex.Entry(change.chunk(), change.after()));
            changes.add(change);
            freed(change.freed());
          });
      item.note().ifPresent(notes::add);
      item.expired().forEach(dedups::expire);
      item.dropped().ifPresent(dedups::drop);
      item.dedups().forEach(dedups::keep);
    }
    Bookkeeping books =
        ledger.book(changes, notes, flushing ? ledger.nextBatch() : ledger.flushed());
    index.write(
        new ChunkIndex.Batch(
            List.copyOf(records.values()),
            dedups.kept(),
            dedups.forgotten(),
            small.takeChanges(),
            books),
        synced);
    if (synced || !flushing) {
      releaseFreed();
    }
  }

  /**
   * Flushes each file that bytes of the group were written to, unless all of them are few enough to
   * be kept in the batch.
   */
  private Set<BlockClass> flush(List<Item> group) throws IOException {
    long smallBytes = 0;
    var flushed = new LinkedHashSet<BlockClass>();
    for (Item item : group) {
      if (item.written().isPresent()) {
        VersionWriter.Bytes written = item.written().get();
        smallBytes += written.small().stream().mapToLong(each -> each.bytes().length).sum();
        if (written.small().isEmpty()) {
          flushed.addAll(written.classes());
        }
      }
    }
    if (smallBytes > SmallWrites.BATCH_BYTES_MAX || small.isFull()) {
      group.forEach(item -> item.written().ifPresent(written -> flushed.addAll(written.classes())));
      small.flushAll();
    }
    for (BlockClass each : flushed) {
      blocks.file(each).flush();
      small.flushed(each);
    }
    return flushed;
  }

  private void keepUnflushed(Item item, Set<BlockClass> flushed) {
    item.written().stream()
        .flatMap(written -> written.small().stream())
        .filter(each -> !flushed.contains(each.place().blockClass()))
        .forEach(small::keep);
  }

  private void freed(List<BlockRef> freed) {
    freed.forEach(small::freed);
    freedNotSynced.addAll(freed);
  }

  /** Makes freed blocks usable and the metadata small again, while there is nothing else to do. */
  private void releaseIdle() {
    if ((freedNotSynced.isEmpty() && small.isEmpty()) || failure != null) {
      return;
    }
    try {
      small.flushAll();
      index.write(
          new ChunkIndex.Batch(
              List.of(), List.of(), List.of(), small.takeChanges(), Bookkeeping.NONE),
          true);
      releaseFreed();
    } catch (IOException e) {
      fail(e);
    }
  }

  private void releaseFreed() {
    freedNotSynced.forEach(blocks::release);
    freedNotSynced.clear();
  }

  void fail(IOException e) {
    if (failure == null) {
      failure = e;
      log.error("disk failed, target takes no more updates engine={}", name, e);
    }
  }

  /** Writes what waits, then stops. */
  @Override
  public void close() {
    lane.close();
    commitAll();
    inTurn(this::releaseIdle);
  }
}
