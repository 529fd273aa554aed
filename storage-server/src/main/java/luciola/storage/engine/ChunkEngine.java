package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.DirectBlockFile;
import luciola.storage.disk.DiskMeters;
import luciola.storage.disk.DiskSpace;
import luciola.storage.disk.TimedBlockFile;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.KeyValues;
import luciola.storage.index.Tombstone;
import luciola.storage.index.VersionRecord;
import luciola.storage.journal.JournaledKeyValues;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All chunks of one target. Safe for use by many threads; updates of one chunk are staged in the
 * order of the calls.
 *
 * <p>An update goes through three steps: a writer lane writes the new version's bytes past the page
 * cache; the commit loop flushes the file and writes the metadata, synced; the future completes, on
 * the thread that committed it. {@link #commit} then makes a durable version the committed one;
 * that mark is not synced, a restart may find the version pending again.
 *
 * <p>A stored granule found bad is counted, and the version is fetched again from {@link
 * ReplicaSource} and written to another block.
 *
 * <p>This class only puts the parts together: {@link Staging} takes updates, {@link VersionMaker}
 * writes their bytes, {@link RecordChanges} changes records, {@link CommitLoop} makes all of it
 * durable; {@link ChunkReads}, {@link ChunkRepair}, {@link ChunkLists} and {@link DedupStore} have
 * the rest.
 */
public final class ChunkEngine implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ChunkEngine.class);
  private static final long CLOSE_WAIT_NANOS = 5_000_000_000L;

  private final String name;
  private final boolean oneThread;

  private final BlockStore blocks;
  private final ChunkIndex index;
  private final Ledger ledger;
  private final ChunkStates states;
  private final CommitLoop loop;
  private final Writers writers;
  private final RecordChanges changes;
  private final ChunkRepair repair;
  private final ChunkReads reads;
  private final Staging staging;
  private final ChunkLists lists;
  private final DedupStore dedups;
  private final Tombstones tombstones;
  private final ChainDrop drop;
  private final Compactor compactor;
  private final SpaceWatch space;
  private final Runnable afterClose;
  private final AtomicBoolean closed = new AtomicBoolean();

  private ChunkEngine(
      String name,
      EngineParts parts,
      BlockStore blocks,
      DiskMeters meters,
      ChunkIndex index,
      Runnable afterClose)
      throws IOException {
    EngineConfig config = parts.config();
    EngineThreads threads = parts.threads();
    this.name = name;
    this.oneThread = threads.oneThread();
    this.blocks = blocks;
    this.index = index;
    this.afterClose = afterClose;
    // A killed process may have left changes that were never synced: they must not be lost once the
    // blocks that they freed are used again.
    index.sync();
    SmallWrites.replay(index, blocks);
    this.ledger = Ledger.open(index, blocks, parts.nanos());
    this.states = new ChunkStates(index, config.recordCacheBytes());
    var reader = new VersionReader(blocks, parts.scratch(), config.fileRangeBytes());
    List<PendingCheck.Torn> torn = new PendingCheck(index, reader, ledger.flushed()).run();
    this.loop = new CommitLoop(name, config, index, blocks, ledger, threads);
    this.writers = new Writers(name, parts, blocks);
    this.changes = new RecordChanges(states, loop, blocks);
    this.repair = new ChunkRepair(name, parts, states, loop, reader, writers, changes);
    this.reads = new ChunkReads(name, states, blocks, reader, repair);
    this.compactor = new Compactor(name, parts, index, states, blocks, writers, changes);
    this.dedups = new DedupStore(index, loop, ledger);
    this.staging =
        new Staging(
            name,
            states,
            loop,
            blocks,
            writers,
            new VersionMaker(states, loop, repair, compactor, blocks),
            new StageLimit(config.waitingMax(), loop, threads.oneThread()),
            dedups);
    this.lists = new ChunkLists(index, states);
    this.tombstones = new Tombstones(index, states, loop, staging, changes);
    this.drop = new ChainDrop(index, states, staging, loop, dedups, this::forget);
    this.space = new SpaceWatch(name, blocks, meters, compactor);
    torn.forEach(each -> staging.discard(each.chunk(), each.version().version()));
    log.info(
        "engine open name={} chunks={} pending={} torn={} usedBytes={} ageSeconds={}",
        name,
        ledger.chunks(),
        states.pendingCount(),
        torn.size(),
        blocks.takenBytes(),
        ledger.ageSeconds());
  }

  /**
   * Opens the chunks in a directory, making them if they are missing: block files in {@code
   * blocks}, metadata in {@code meta} and {@code journal}.
   *
   * @param name of threads and log lines
   * @throws LuciolaException FORMAT_TOO_NEW, UNSUPPORTED for an older format, or CORRUPT_DATA
   */
  public static ChunkEngine open(
      String name, Path directory, EngineConfig config, ReplicaSource replicas) throws IOException {
    Path files = Files.createDirectories(directory.resolve("blocks"));
    KeyValues store =
        JournaledKeyValues.open(
            directory,
            config.metadataCacheBytes(),
            config.journalBytes(),
            config.durability() == Durability.FLUSH);
    var scratch = new PayloadPool(config.scratchBytes());
    try {
      var parts =
          new EngineParts(
              config,
              DirectBlockFile.in(files),
              DiskSpace.of(files),
              store,
              EngineThreads.platform(),
              scratch,
              replicas,
              System::nanoTime);
      return open(name, parts, scratch::close);
    } catch (IOException | RuntimeException e) {
      scratch.close();
      throw e;
    }
  }

  /**
   * Opens on given parts.
   *
   * @param name of lanes and log lines
   * @throws LuciolaException FORMAT_TOO_NEW, UNSUPPORTED for an older format, or CORRUPT_DATA
   */
  public static ChunkEngine open(String name, EngineParts parts) throws IOException {
    return open(name, parts, () -> {});
  }

  private static ChunkEngine open(String name, EngineParts parts, Runnable afterClose)
      throws IOException {
    try {
      EngineConfig config = parts.config();
      ChunkIndex index = ChunkIndex.open(parts.store());
      DiskMeters meters = DiskMeters.fresh();
      BlockStore blocks =
          BlockStore.open(
              TimedBlockFile.timed(parts.files(), meters, parts.nanos()),
              parts.space(),
              config.capacityBytes(),
              config.reserveBytes());
      return new ChunkEngine(name, parts, blocks, meters, index, afterClose);
    } catch (IOException | RuntimeException e) {
      parts.store().close();
      throw e;
    }
  }

  /** What is held of a chain. */
  public ChainContents chain(ChainId chain) {
    return new ChainContents(chain, states, lists, dedups, tombstones, drop, ledger);
  }

  /**
   * Whether an update of this size is welcome: false while there is still some room left, so that
   * updates that are under way find it.
   */
  public boolean hasRoomFor(long bytes) {
    return space.hasRoomFor(bytes);
  }

  /** Whether {@link #chunk} answers from memory, without a look at the disk. */
  public boolean isAtHand(ChunkKey chunk) {
    return states.isAtHand(chunk);
  }

  /** What is durably held of a chunk, the newest commit marks included. */
  public ChunkRecord chunk(ChunkKey chunk) {
    return states.durable(chunk);
  }

  /**
   * Stages an update; the future completes when it is durable.
   *
   * <p>It fails with {@link BadBlockException} if old bytes went bad; MISSING_UPDATE if the version
   * is not the next one; NO_SPACE; DISK_ERROR; OVERLOADED; CANCELLED if it was discarded meanwhile.
   * After a failure nothing of it is held.
   */
  public CompletableFuture<Staged> stage(ChunkUpdate update) {
    return staging.stage(update);
  }

  /**
   * Drops pending versions from one on, durable or still being staged, with every dedup record of
   * this chunk with such a version. Shows at once; on disk, synced, before anything that is staged
   * later.
   */
  public void discard(ChunkKey chunk, ChunkVersion from) {
    staging.discard(chunk, from);
  }

  /**
   * Forgets a chunk, its tombstone and all, behind updates of it that are under way. The future
   * completes when that is durable.
   */
  public CompletableFuture<Boolean> forget(ChunkKey chunk) {
    var result = new CompletableFuture<Boolean>();
    try {
      writers.execute(chunk, _ -> changes.forget(chunk, result));
    } catch (LuciolaException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  /**
   * Makes a durable pending version the committed one, and forgets those before it. Reads see it at
   * once; the mark is written later and not synced. Committing the committed version again changes
   * nothing.
   *
   * @throws LuciolaException MISSING_UPDATE if that version is not held
   */
  public void commit(ChunkKey chunk, ChunkVersion version, int chainVersion) {
    changes.commit(chunk, version, chainVersion);
  }

  /**
   * Holds a version of a chunk for reading. Does not wait for the disk's data.
   *
   * @throws LuciolaException CHUNK_NOT_FOUND if the chunk does not exist in that version;
   *     CHUNK_BUSY if that version is not held any more
   */
  public HeldVersion hold(ChunkKey chunk, ChunkVersion version) {
    return reads.hold(chunk, version);
  }

  /**
   * Holds the committed version of a chunk if nothing else is known of it, neither pending nor on
   * its way to the disk; null otherwise, and if there is no such chunk. One look, for the most
   * frequent reads.
   */
  public @Nullable HeldVersion holdSettled(ChunkKey chunk) {
    return reads.holdSettled(chunk);
  }

  /** {@link #hold} and {@link #read(HeldVersion, int, int)} in one. */
  public ChunkRead read(ChunkKey chunk, ChunkVersion version, int offset, int length) {
    return read(hold(chunk, version), offset, length);
  }

  /**
   * Reads a range of a held version, which the result takes over. Blocks for the disk.
   *
   * @throws LuciolaException {@link BadBlockException}, after which a repair is under way;
   *     DISK_ERROR; OVERLOADED
   */
  public ChunkRead read(HeldVersion held, int offset, int length) {
    return reads.read(held, offset, length);
  }

  /**
   * Reads the whole of a held version into memory, verified. Blocks for the disk; the holder still
   * closes it.
   *
   * @throws LuciolaException as {@link #read(HeldVersion, int, int)}
   */
  public void readWhole(HeldVersion held, MemorySegment into) {
    reads.readWhole(held, into);
  }

  /** Granules and blocks found bad since the start. */
  public long checksumErrors() {
    return repair.checksumErrors();
  }

  /** What a check found. */
  public enum Health {
    GOOD,
    /** Was bad, and is being written anew. */
    REPAIRED,
    /** Is bad, and no replica could give the right bytes now. */
    BAD
  }

  /**
   * Verifies every version of a chunk against the device, and repairs what is bad. In order with
   * updates of the chunk.
   */
  public CompletableFuture<Health> check(ChunkKey chunk) {
    return repair.check(chunk);
  }

  /** How long this target was open since it was made; what {@link Tombstone} is dated by. */
  public long ageSeconds() {
    return ledger.ageSeconds();
  }

  /**
   * Moves blocks together so that space goes back to the disk, as far as that is possible and
   * within the bandwidth configured. Happens by itself when space is short. The future completes
   * with the bytes given back.
   */
  public CompletableFuture<Long> compact() {
    return compactor.run();
  }

  /**
   * Reads all metadata and checks that it fits together. Updates wait meanwhile: for tests, and for
   * a target that is out of service.
   */
  public CompletableFuture<CheckReport> verify() {
    var result = new CompletableFuture<CheckReport>();
    loop.between(() -> {
      try {
        result.complete(TargetCheck.run(index));
      } catch (RuntimeException e) {
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  /** CRC32C over the granule checksums of a version, as replicas compare it. */
  public static int checksum(VersionRecord version) {
    return VersionRules.checksum(version.granules());
  }

  /** How much is held, and how the disk does. */
  public EngineUsage usage() {
    return space.usage(ledger.chunks());
  }

  /** Whether the disk works; after the first failed write it never does again in this life. */
  public boolean isHealthy() {
    return loop.failure().isEmpty();
  }

  /** What broke the disk; empty while it works. */
  public Optional<String> failure() {
    return loop.failure().map(Throwable::toString);
  }

  /**
   * Finishes what is under way and closes everything, while others may still use it: reads that are
   * out are waited for, up to {@link #CLOSE_WAIT_NANOS}, and after that the files they send from
   * close under them; whoever calls later is refused with SHUTTING_DOWN or an IOException, and
   * nothing native is touched any more. Closing twice is harmless.
   */
  @Override
  public void close() throws IOException {
    if (closed.getAndSet(true)) {
      return;
    }
    compactor.close();
    writers.close();
    loop.close();
    if (!blocks.endPins(oneThread ? 0 : CLOSE_WAIT_NANOS)) {
      log.warn("closed while something is read name={}", name);
    }
    try {
      if (isHealthy()) {
        index.sync();
      }
    } finally {
      index.close();
      blocks.close();
      afterClose.run();
    }
  }
}
