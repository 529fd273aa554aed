package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkListReply;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.DirectBlockFile;
import luciola.storage.disk.NoSpaceException;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.DedupEntry;
import luciola.storage.index.RocksChunkIndex;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All chunks of one target. Safe for use by many threads; updates of one chunk are staged in the
 * order of the calls.
 *
 * <p>An update goes through three steps: a writer thread verifies the payload and writes the new
 * version's bytes past the page cache; the commit loop flushes the file and writes the metadata,
 * synced; the future completes, on the commit thread. {@link #commit} then makes a durable version
 * the committed one; that mark is not synced, a restart may find the version pending again.
 *
 * <p>A stored granule found bad is counted, and the version is fetched again from {@link
 * ReplicaSource} and written to another block.
 */
public final class ChunkEngine implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ChunkEngine.class);
  private static final int OPEN_PAGE = 4096;
  private static final long ROOM_BYTES = 256L << 20;

  private final String name;
  private final BlockStore blocks;
  private final ChunkIndex index;
  private final PayloadPool scratch;
  private final ReplicaSource replicas;
  private final ChunkStates states;
  private final CommitLoop loop;
  private final Writers writers;
  private final VersionReader reader;
  private final Semaphore underWay;
  private final AtomicLong checksumErrors = new AtomicLong();
  private final ConcurrentHashMap<ChunkKey, List<Ticket>> staging = new ConcurrentHashMap<>();

  private ChunkEngine(
      String name,
      EngineConfig config,
      BlockStore blocks,
      ChunkIndex index,
      ReplicaSource replicas,
      PayloadPool scratch)
      throws IOException {
    this.name = name;
    this.blocks = blocks;
    this.index = index;
    this.replicas = replicas;
    this.scratch = scratch;
    this.states = new ChunkStates(index);
    restore();
    this.loop = new CommitLoop(name, config, index, blocks);
    this.writers = new Writers(name, config, blocks, scratch);
    this.reader = new VersionReader(blocks, scratch, config.fileRangeBytes());
    this.underWay = new Semaphore(config.waitingMax());
  }

  /**
   * Opens the chunks in a directory, making them if they are missing: block files in {@code
   * blocks}, metadata in {@code meta}.
   *
   * @param name of threads and log lines
   * @throws LuciolaException FORMAT_TOO_NEW or CORRUPT_DATA
   */
  public static ChunkEngine open(
      String name, Path directory, EngineConfig config, ReplicaSource replicas) throws IOException {
    Path files = Files.createDirectories(directory.resolve("blocks"));
    ChunkIndex index = RocksChunkIndex.open(directory.resolve("meta"), config.metadataCacheBytes());
    return open(name, files, DirectBlockFile.in(files), index, config, replicas);
  }

  /** Opens on given files and metadata, which the engine closes. */
  static ChunkEngine open(
      String name,
      Path files,
      BlockFile.Opener opener,
      ChunkIndex index,
      EngineConfig config,
      ReplicaSource replicas)
      throws IOException {
    try {
      BlockStore blocks =
          BlockStore.open(files, opener, config.capacityBytes(), config.reserveBytes());
      return new ChunkEngine(
          name, config, blocks, index, replicas, new PayloadPool(config.scratchBytes()));
    } catch (IOException | RuntimeException e) {
      index.close();
      throw e;
    }
  }

  private void restore() throws IOException {
    ChunkKey from = ChunkKey.first(new ChainId(1));
    long chunks = 0;
    List<ChunkIndex.Entry> page = index.chunks(from, OPEN_PAGE);
    while (!page.isEmpty()) {
      for (ChunkIndex.Entry entry : page) {
        restore(entry);
      }
      chunks += page.size();
      Optional<ChunkKey> next = page.getLast().chunk().next();
      page = next.isPresent() ? index.chunks(next.get(), OPEN_PAGE) : List.of();
    }
    blocks.finishRestore();
    log.info(
        "engine open name={} records={} chunks={} pending={} usedBytes={}",
        name,
        chunks,
        states.existing(),
        states.pendingCount(),
        blocks.takenBytes());
  }

  private void restore(ChunkIndex.Entry entry) {
    try {
      entry.record().blocks().forEach(blocks::restore);
    } catch (IllegalStateException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "two chunks in one block: engine=" + name + " chunk=" + entry.chunk(),
          e);
    }
    states.restore(entry);
  }

  /** A chain's chunks with pending versions, some of which may not be durable yet. */
  public List<ChunkKey> pendingChunks(ChainId chain) {
    return states.pending(chain);
  }

  /** Whether nothing is stored for a chain: neither chunk nor tombstone nor dedup record. */
  public boolean isEmpty(ChainId chain) {
    return inventory(chain, Optional.empty(), 1).chunks().isEmpty()
        && index.dedups(chain, Optional.empty(), 1).isEmpty();
  }

  /**
   * Whether an update of this size is welcome: false while there is still some room left, so that
   * updates that are under way find it.
   */
  public boolean hasRoomFor(long bytes) {
    try {
      long capacity = blocks.capacityBytes();
      long margin = Math.min(capacity / 10, ROOM_BYTES);
      return blocks.takenBytes() + bytes + margin <= capacity;
    } catch (IOException e) {
      log.warn("free space is not known engine={}", name, e);
      return false;
    }
  }

  /** An update between its call and its durability. Guarded by the chunk's lock. */
  private static final class Ticket {
    final ChunkVersion version;
    boolean dropped;

    Ticket(ChunkVersion version) {
      this.version = version;
    }
  }

  /** What is durably held of a chunk, the newest commit marks included. */
  public ChunkRecord chunk(ChunkKey chunk) {
    return states.durable(chunk);
  }

  /**
   * Stages an update; the future completes when it is durable.
   *
   * <p>It fails with CHECKSUM_MISMATCH if the payload does not fit its checksums or, as {@link
   * BadBlockException}, if old bytes went bad; MISSING_UPDATE if the version is not the next one;
   * NO_SPACE; DISK_ERROR; OVERLOADED; CANCELLED if it was discarded meanwhile. After a failure
   * nothing of it is held.
   */
  public CompletableFuture<Staged> stage(ChunkUpdate update) {
    var ticket = new Ticket(update.version());
    ChunkKey chunk = update.chunk();
    states.locked(chunk, () -> staging.computeIfAbsent(chunk, _ -> new ArrayList<>()).add(ticket));
    var result = new CompletableFuture<Staged>();
    try {
      writers.execute(chunk, writer -> stage(writer, update, ticket, result));
    } catch (LuciolaException e) {
      forget(chunk, ticket);
      result.completeExceptionally(e);
    }
    return result;
  }

  /** The update is done with; whether it was not discarded. */
  private boolean forget(ChunkKey chunk, Ticket ticket) {
    return states.locked(
        chunk,
        () -> {
          staging.computeIfPresent(
              chunk,
              (_, tickets) -> {
                tickets.remove(ticket);
                return tickets.isEmpty() ? null : tickets;
              });
          return !ticket.dropped;
        });
  }

  private void stage(
      VersionWriter writer, ChunkUpdate update, Ticket ticket, CompletableFuture<Staged> result) {
    underWay.acquireUninterruptibly();
    try {
      checkHealthy();
      checkWanted(update, ticket);
      verifyPayload(update);
      queue(update, ticket, make(writer, update).withTag(update.tag()), result);
    } catch (IOException | RuntimeException e) {
      underWay.release();
      forget(update.chunk(), ticket);
      result.completeExceptionally(asFault("stage", update.chunk(), e));
    }
  }

  private void checkWanted(ChunkUpdate update, Ticket ticket) {
    if (states.locked(update.chunk(), () -> ticket.dropped)) {
      throw discarded(update.chunk(), update.version());
    }
  }

  private static LuciolaException discarded(ChunkKey chunk, ChunkVersion version) {
    return new LuciolaException(
        ErrorCode.CANCELLED, "discarded: chunk=" + chunk + " version=" + version);
  }

  private void checkHealthy() {
    loop.failure()
        .ifPresent(cause -> {
          throw new LuciolaException(
              ErrorCode.DISK_ERROR, "disk failed before: engine=" + name, cause);
        });
  }

  private LuciolaException asFault(String operation, ChunkKey chunk, Exception e) {
    return switch (e) {
      case LuciolaException fault -> fault;
      case NoSpaceException full ->
          new LuciolaException(ErrorCode.NO_SPACE, operation + ": chunk=" + chunk, full);
      case IOException broken -> {
        loop.fail(broken);
        yield new LuciolaException(ErrorCode.DISK_ERROR, operation + ": chunk=" + chunk, broken);
      }
      default -> new LuciolaException(ErrorCode.INTERNAL, operation + ": chunk=" + chunk, e);
    };
  }

  private static void verifyPayload(ChunkUpdate update) {
    int offset = update.update() instanceof Update.Write write ? write.offset() : 0;
    int bad = Granules.firstMismatch(offset, update.payload(), update.checksums());
    if (bad >= 0) {
      throw new LuciolaException(
          ErrorCode.CHECKSUM_MISMATCH,
          "payload does not fit its checksum: chunk="
              + update.chunk()
              + " version="
              + update.version()
              + " piece="
              + bad);
    }
  }

  private VersionRecord make(VersionWriter writer, ChunkUpdate update) throws IOException {
    try {
      return makeOnce(writer, update);
    } catch (NoSpaceException e) {
      awaitFreed(e);
    } catch (BadBlockException e) {
      reportBad(update.chunk(), e);
      if (!repair(writer, update.chunk())) {
        throw e;
      }
    }
    return makeOnce(writer, update);
  }

  private VersionRecord makeOnce(VersionWriter writer, ChunkUpdate update) throws IOException {
    @Nullable VersionRecord base = states.current(update.chunk()).newest().orElse(null);
    ChunkVersion held = base == null ? ChunkVersion.NONE : base.version();
    boolean whole = update.update() instanceof Update.Replace;
    if (!whole && !update.version().equals(held.next())) {
      throw new LuciolaException(
          ErrorCode.MISSING_UPDATE,
          "not the next version: chunk="
              + update.chunk()
              + " version="
              + update.version()
              + " newest="
              + held);
    }
    if (isRemoval(update.update())) {
      return VersionRecord.tombstone(update.version(), update.chainVersion());
    }
    @Nullable VersionRecord old = whole || base == null || base.removed() ? null : base;
    Image image =
        Image.of(
            update.update(),
            old == null ? 0 : old.chunkBytes(),
            update.payload(),
            update.checksums());
    return writer.write(old, image, update.version(), update.chainVersion());
  }

  private static boolean isRemoval(Update update) {
    return update instanceof Update.Remove
        || (update instanceof Update.Replace replace && replace.removed());
  }

  /** Waits until blocks freed so far can be used again. */
  private void awaitFreed(NoSpaceException cause) throws IOException {
    var done = new CompletableFuture<Boolean>();
    loop.put(
        new CommitLoop.Item(
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of(),
            Optional.empty(),
            List.of(),
            true,
            failed -> done.complete(failed == null)));
    if (!done.join()) {
      throw cause;
    }
  }

  private void queue(
      ChunkUpdate update, Ticket ticket, VersionRecord made, CompletableFuture<Staged> result) {
    ChunkKey chunk = update.chunk();
    var staged =
        new Staged(made.version(), made.chunkBytes(), VersionRules.checksum(made.granules()));
    List<DedupEntry> dedups =
        update.tag().stream()
            .map(tag -> new DedupRecord(tag, chunk.chunk(), made.version(), made.chunkBytes()))
            .map(record -> entry(chunk.chain(), record))
            .toList();
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          if (ticket.dropped) {
            made.blockIfAny()
                .filter(block -> !before.blocks().contains(block))
                .ifPresent(blocks::release);
            throw discarded(chunk, update.version());
          }
          ChunkRecord after =
              update.update() instanceof Update.Replace
                  ? VersionRules.replaced(before, made)
                  : VersionRules.staged(before, made);
          if (update.committed()) {
            after = new ChunkRecord(made, List.of());
          }
          states.change(chunk, after, made);
          loop.put(
              new CommitLoop.Item(
                  made.blockIfAny().map(blocks::file),
                  Optional.of(new ChunkIndex.Entry(chunk, after)),
                  dedups,
                  List.of(),
                  Optional.empty(),
                  VersionRules.freed(before, after),
                  true,
                  failed -> staged(chunk, ticket, made, staged, result, failed)));
          return true;
        });
  }

  private void staged(
      ChunkKey chunk,
      Ticket ticket,
      VersionRecord made,
      Staged staged,
      CompletableFuture<Staged> result,
      @Nullable IOException failed) {
    underWay.release();
    boolean wanted = forget(chunk, ticket);
    if (failed == null) {
      states.written(chunk, made);
    }
    if (!wanted) {
      result.completeExceptionally(discarded(chunk, made.version()));
    } else if (failed == null) {
      result.complete(staged);
    } else {
      result.completeExceptionally(
          new LuciolaException(ErrorCode.DISK_ERROR, "stage: chunk=" + chunk, failed));
    }
  }

  /**
   * Drops pending versions from one on, durable or still being staged, with every dedup record of
   * this chunk with such a version. Shows at once; on disk, synced, before anything that is staged
   * later.
   */
  public void discard(ChunkKey chunk, ChunkVersion from) {
    states.locked(
        chunk,
        () -> {
          staging.getOrDefault(chunk, List.of()).stream()
              .filter(ticket -> ticket.version.compareTo(from) >= 0)
              .forEach(ticket -> ticket.dropped = true);
          ChunkRecord before = states.current(chunk);
          ChunkRecord after = VersionRules.discarded(before, from);
          if (after.pending().size() < before.pending().size()) {
            change(chunk, before, after, Optional.of(new CommitLoop.Dropped(chunk, from)));
          }
          return true;
        });
  }

  /**
   * Forgets a chunk, its tombstone and all, behind updates of it that are under way. The future
   * completes when that is durable.
   */
  public CompletableFuture<Boolean> forget(ChunkKey chunk) {
    var result = new CompletableFuture<Boolean>();
    try {
      writers.execute(chunk, _ -> forget(chunk, result));
    } catch (LuciolaException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  private void forget(ChunkKey chunk, CompletableFuture<Boolean> result) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          states.change(chunk, ChunkRecord.NONE, null);
          loop.put(
              new CommitLoop.Item(
                  Optional.empty(),
                  Optional.of(new ChunkIndex.Entry(chunk, ChunkRecord.NONE)),
                  List.of(),
                  List.of(),
                  Optional.empty(),
                  VersionRules.freed(before, ChunkRecord.NONE),
                  true,
                  failed -> {
                    if (failed == null) {
                      states.written(chunk, null);
                      result.complete(true);
                    } else {
                      result.completeExceptionally(
                          new LuciolaException(
                              ErrorCode.DISK_ERROR, "forget: chunk=" + chunk, failed));
                    }
                  }));
          return true;
        });
  }

  private static DedupEntry entry(ChainId chain, DedupRecord record) {
    return new DedupEntry(chain, record, System.currentTimeMillis() / 1000);
  }

  /**
   * Makes a durable pending version the committed one, and forgets those before it. Reads see it at
   * once; the mark is written later and not synced. Committing the committed version again changes
   * nothing.
   *
   * @throws LuciolaException MISSING_UPDATE if that version is not held
   */
  public void commit(ChunkKey chunk, ChunkVersion version, int chainVersion) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          Optional<ChunkRecord> after = VersionRules.committed(before, version, chainVersion);
          if (after.isPresent()) {
            change(chunk, before, after.get(), Optional.empty());
          } else if (before.committedIfAny().filter(it -> it.version().equals(version)).isEmpty()) {
            throw new LuciolaException(
                ErrorCode.MISSING_UPDATE,
                "commit of a version that is not held: chunk=" + chunk + " version=" + version);
          }
          return true;
        });
  }

  private void change(
      ChunkKey chunk, ChunkRecord before, ChunkRecord after, Optional<CommitLoop.Dropped> dropped) {
    states.change(chunk, after, null);
    loop.put(
        new CommitLoop.Item(
            Optional.empty(),
            Optional.of(new ChunkIndex.Entry(chunk, after)),
            List.of(),
            List.of(),
            dropped,
            VersionRules.freed(before, after),
            dropped.isPresent(),
            failed -> {
              if (failed == null) {
                states.written(chunk, null);
              }
            }));
  }

  /** A version whose bytes stay as they are until it is closed, by a read or by its holder. */
  public static final class Held implements AutoCloseable {
    private final ChunkKey chunk;
    private final VersionRecord version;
    private final Optional<BlockStore.Pin> pin;

    private Held(ChunkKey chunk, VersionRecord version, Optional<BlockStore.Pin> pin) {
      this.chunk = chunk;
      this.version = version;
      this.pin = pin;
    }

    /** What is held. */
    public VersionRecord version() {
      return version;
    }

    @Override
    public void close() {
      pin.ifPresent(BlockStore.Pin::close);
    }
  }

  /**
   * Holds a version of a chunk for reading. Does not wait for the disk's data.
   *
   * @throws LuciolaException CHUNK_NOT_FOUND if the chunk does not exist in that version;
   *     CHUNK_BUSY if that version is not held any more
   */
  public Held hold(ChunkKey chunk, ChunkVersion version) {
    return states.locked(
        chunk,
        () -> {
          VersionRecord record = find(chunk, version);
          return new Held(chunk, record, record.blockIfAny().map(blocks::pin));
        });
  }

  /** {@link #hold} and {@link #read(Held, int, int)} in one. */
  public ChunkRead read(ChunkKey chunk, ChunkVersion version, int offset, int length) {
    return read(hold(chunk, version), offset, length);
  }

  /**
   * Reads a range of a held version, which the result takes over. Blocks for the disk.
   *
   * @throws LuciolaException {@link BadBlockException}, after which a repair is under way;
   *     DISK_ERROR; OVERLOADED
   */
  public ChunkRead read(Held held, int offset, int length) {
    ChunkKey chunk = held.chunk;
    try {
      return held.pin.isEmpty()
          ? VersionReader.empty(held.version)
          : reader.read(held.version, held.pin.get(), offset, length);
    } catch (BadBlockException e) {
      reportBad(chunk, e);
      startRepair(chunk);
      throw e;
    } catch (IOException e) {
      checksumErrors.incrementAndGet();
      log.error("read failed engine={} chunk={} {}", name, chunk, held.version, e);
      startRepair(chunk);
      throw new LuciolaException(ErrorCode.DISK_ERROR, "read: chunk=" + chunk, e);
    }
  }

  /**
   * Reads the whole of a held version into memory, verified. Blocks for the disk; the holder still
   * closes it.
   *
   * @throws LuciolaException as {@link #read(Held, int, int)}
   */
  public void readWhole(Held held, MemorySegment into) {
    try {
      reader.readWhole(held.version, into);
    } catch (BadBlockException e) {
      reportBad(held.chunk, e);
      startRepair(held.chunk);
      throw e;
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "read: chunk=" + held.chunk, e);
    }
  }

  private VersionRecord find(ChunkKey chunk, ChunkVersion version) {
    ChunkRecord record = states.current(chunk);
    if (record.newest().isEmpty()) {
      throw new LuciolaException(ErrorCode.CHUNK_NOT_FOUND, "read: chunk=" + chunk);
    }
    VersionRecord found =
        record
            .find(version)
            .orElseThrow(() ->
                new LuciolaException(
                    ErrorCode.CHUNK_BUSY,
                    "version is not held: chunk=" + chunk + " version=" + version));
    if (found.removed()) {
      throw new LuciolaException(ErrorCode.CHUNK_NOT_FOUND, "read: chunk=" + chunk);
    }
    return found;
  }

  private void reportBad(ChunkKey chunk, BadBlockException e) {
    checksumErrors.incrementAndGet();
    log.error("bad block engine={} chunk={} {}", name, chunk, e.getMessage());
  }

  /** Granules and blocks found bad since the start. */
  public long checksumErrors() {
    return checksumErrors.get();
  }

  private void startRepair(ChunkKey chunk) {
    try {
      writers.execute(chunk, writer -> check(writer, chunk));
    } catch (LuciolaException e) {
      log.warn("repair was not started engine={} chunk={}", name, chunk, e);
    }
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
    var result = new CompletableFuture<Health>();
    try {
      writers.execute(
          chunk,
          writer -> {
            try {
              result.complete(check(writer, chunk));
            } catch (RuntimeException e) {
              result.completeExceptionally(e);
            }
          });
    } catch (LuciolaException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  private Health check(VersionWriter writer, ChunkKey chunk) {
    if (badVersions(chunk).isEmpty()) {
      return Health.GOOD;
    }
    return repair(writer, chunk) ? Health.REPAIRED : Health.BAD;
  }

  private List<VersionRecord> badVersions(ChunkKey chunk) {
    return states.durable(chunk).versions().filter(each -> isBad(chunk, each)).toList();
  }

  private boolean isBad(ChunkKey chunk, VersionRecord version) {
    try {
      int granule = reader.firstBadGranule(version);
      if (granule >= 0) {
        reportBad(chunk, new BadBlockException(version, granule));
      }
      return granule >= 0;
    } catch (IOException e) {
      checksumErrors.incrementAndGet();
      log.error("block cannot be read engine={} chunk={}", name, chunk, e);
      return true;
    }
  }

  /** Fetches the committed version from another replica and puts it in place of the bad one. */
  private boolean repair(VersionWriter writer, ChunkKey chunk) {
    ChunkRecord record = states.current(chunk);
    VersionRecord committed = record.committed();
    if (committed == null || committed.block() == null) {
      return false;
    }
    BlockRef from = committed.block();
    boolean shared = record.pending().stream().anyMatch(each -> from.equals(each.block()));
    Optional<PayloadBuffer> buffer = scratch.tryAcquire(committed.chunkBytes());
    if (shared || buffer.isEmpty()) {
      log.warn("repair must wait engine={} chunk={} pending={}", name, chunk, shared);
      buffer.ifPresent(PayloadBuffer::release);
      return false;
    }
    try {
      MemorySegment bytes = buffer.get().segment();
      replicas.fetch(chunk, committed.version(), bytes);
      if (Granules.firstMismatch(0, bytes, committed.granules()) >= 0) {
        throw new IOException("replica's bytes are others: chunk=" + chunk);
      }
      move(chunk, from, writer.writeCopy(bytes, committed));
      log.info("repaired engine={} chunk={} version={}", name, chunk, committed.version());
      return true;
    } catch (IOException e) {
      log.warn("repair failed engine={} chunk={}", name, chunk, e);
      return false;
    } finally {
      buffer.get().release();
    }
  }

  private void move(ChunkKey chunk, BlockRef from, BlockRef to) {
    states.locked(
        chunk,
        () -> {
          ChunkRecord before = states.current(chunk);
          ChunkRecord after = VersionRules.moved(before, from, to);
          if (!after.blocks().contains(to)) {
            blocks.release(to);
            return false;
          }
          states.change(chunk, after, null);
          loop.put(
              new CommitLoop.Item(
                  Optional.of(blocks.file(to)),
                  Optional.of(new ChunkIndex.Entry(chunk, after)),
                  List.of(),
                  List.of(),
                  Optional.empty(),
                  VersionRules.freed(before, after),
                  true,
                  failed -> {
                    if (failed == null) {
                      states.written(chunk, null);
                    }
                  }));
          return true;
        });
  }

  /** A page of a chain's chunks. */
  public record Inventory(List<ChunkSummary> chunks, boolean more) {
    public Inventory {
      chunks = List.copyOf(chunks);
    }
  }

  /** A chain's chunks durably held after one, tombstones included, in order of their ids. */
  public Inventory inventory(ChainId chain, Optional<ChunkId> after, int limit) {
    Optional<ChunkKey> from =
        after.isPresent()
            ? new ChunkKey(chain, after.get()).next()
            : Optional.of(ChunkKey.first(chain));
    List<ChunkIndex.Entry> page =
        from.map(first -> index.chunks(first, limit + 1)).orElse(List.of()).stream()
            .takeWhile(entry -> entry.chunk().chain().equals(chain))
            .toList();
    List<ChunkSummary> chunks =
        page.stream()
            .limit(limit)
            .map(entry -> VersionRules.summary(entry.chunk().chunk(), states.durable(entry)))
            .filter(summary -> !summary.newest().equals(ChunkVersion.NONE))
            .toList();
    return new Inventory(chunks, page.size() > limit);
  }

  /**
   * Existing chunks of a file from an index on; pending versions count as done, those on their way
   * to the disk included.
   */
  public List<ChunkListReply.Item> chunks(ChainId chain, InodeId inode, int first, int limit) {
    var from = new ChunkKey(chain, new ChunkId(inode, first));
    var found = new TreeMap<ChunkKey, ChunkRecord>();
    Optional<ChunkKey> next = Optional.of(from);
    while (next.isPresent() && found.size() < limit) {
      List<ChunkIndex.Entry> page = index.chunks(next.get(), limit);
      page.stream()
          .filter(entry -> isOf(entry.chunk(), chain, inode) && entry.record().exists())
          .forEach(entry -> found.put(entry.chunk(), entry.record()));
      boolean last = page.size() < limit || !isOf(page.getLast().chunk(), chain, inode);
      next = last ? Optional.empty() : page.getLast().chunk().next();
    }
    states
        .changing(from)
        .forEach((chunk, record) -> {
          if (isOf(chunk, chain, inode)) {
            found.put(chunk, record);
          }
        });
    return found.entrySet().stream()
        .filter(each -> each.getValue().exists())
        .limit(limit)
        .map(each -> new ChunkListReply.Item(each.getKey().chunk().index(), newestBytes(each)))
        .toList();
  }

  private static boolean isOf(ChunkKey chunk, ChainId chain, InodeId inode) {
    return chunk.chain().equals(chain) && chunk.chunk().inode().equals(inode);
  }

  private static int newestBytes(Map.Entry<ChunkKey, ChunkRecord> entry) {
    return entry.getValue().newest().map(VersionRecord::chunkBytes).orElse(0);
  }

  /** The last update of a client's channel, if it is durable here. */
  public Optional<DedupRecord> dedup(ChainId chain, ClientId client, int channel) {
    return index.dedup(chain, client, channel).map(DedupEntry::dedup);
  }

  /** A chain's dedup records after one, in a fixed order. */
  public List<DedupRecord> dedups(ChainId chain, Optional<UpdateTag> after, int limit) {
    return index.dedups(chain, after, limit).stream().map(DedupEntry::dedup).toList();
  }

  /** Stores dedup records of another replica; older ones than those held are left out. */
  public CompletableFuture<Boolean> putDedups(ChainId chain, List<DedupRecord> records) {
    List<DedupEntry> newer =
        records.stream()
            .filter(record -> isNews(chain, record))
            .map(record -> entry(chain, record))
            .toList();
    return write(newer, List.of());
  }

  private boolean isNews(ChainId chain, DedupRecord record) {
    return dedup(chain, record.tag().client(), record.tag().channel())
        .map(held -> held.tag().sequence() < record.tag().sequence())
        .orElse(true);
  }

  /** Forgets a chain's dedup records that were last written before a time. */
  public CompletableFuture<Boolean> expireDedups(ChainId chain, long beforeSeconds, int limit) {
    var old = new ArrayList<DedupEntry>();
    List<DedupEntry> page = index.dedups(chain, Optional.empty(), OPEN_PAGE);
    while (!page.isEmpty() && old.size() < limit) {
      page.stream().filter(each -> each.writtenSeconds() < beforeSeconds).forEach(old::add);
      page = index.dedups(chain, Optional.of(page.getLast().dedup().tag()), OPEN_PAGE);
    }
    return write(List.of(), old);
  }

  private CompletableFuture<Boolean> write(List<DedupEntry> dedups, List<DedupEntry> expired) {
    var result = new CompletableFuture<Boolean>();
    loop.put(
        new CommitLoop.Item(
            Optional.empty(),
            Optional.empty(),
            dedups,
            expired,
            Optional.empty(),
            List.of(),
            true,
            failed -> {
              if (failed == null) {
                result.complete(true);
              } else {
                result.completeExceptionally(
                    new LuciolaException(ErrorCode.DISK_ERROR, "write dedup records", failed));
              }
            }));
    return result;
  }

  /** CRC32C over the granule checksums of a version, as replicas compare it. */
  public static int checksum(VersionRecord version) {
    return VersionRules.checksum(version.granules());
  }

  /** How much is held. */
  public EngineUsage usage() {
    try {
      return new EngineUsage(blocks.capacityBytes(), blocks.takenBytes(), states.existing());
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "usage: engine=" + name, e);
    }
  }

  /** Whether the disk works; after the first failed write it never does again in this life. */
  public boolean isHealthy() {
    return loop.failure().isEmpty();
  }

  /** Finishes what is under way and closes everything. Reads must have been closed before. */
  @Override
  public void close() throws IOException {
    writers.close();
    loop.close();
    try {
      if (isHealthy()) {
        index.sync();
      }
    } finally {
      index.close();
      blocks.close();
      scratch.close();
    }
  }
}
