package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds versions whose bytes went bad on the device and writes the committed one anew from another
 * replica. On the chunk's writer lane, in order with its updates.
 */
final class ChunkRepair {
  private static final Logger log = LoggerFactory.getLogger(ChunkRepair.class);

  private final String name;
  private final EngineParts parts;
  private final ChunkStates states;
  private final VersionReader reader;
  private final Writers writers;
  private final RecordChanges changes;
  private final AtomicLong checksumErrors = new AtomicLong();

  ChunkRepair(
      String name,
      EngineParts parts,
      ChunkStates states,
      VersionReader reader,
      Writers writers,
      RecordChanges changes) {
    this.name = name;
    this.parts = parts;
    this.states = states;
    this.reader = reader;
    this.writers = writers;
    this.changes = changes;
  }

  /** Counts and logs a bad granule. */
  void report(ChunkKey chunk, BadBlockException e) {
    count();
    log.error("bad block engine={} chunk={} {}", name, chunk, e.getMessage());
  }

  /** Counts a block that could not be read. */
  void count() {
    checksumErrors.incrementAndGet();
  }

  long checksumErrors() {
    return checksumErrors.get();
  }

  /** Has a chunk checked and repaired some time soon. */
  void start(ChunkKey chunk) {
    try {
      writers.execute(chunk, writer -> check(writer, chunk));
    } catch (LuciolaException e) {
      log.warn("repair was not started engine={} chunk={}", name, chunk, e);
    }
  }

  /** See {@link ChunkEngine#check}. */
  CompletableFuture<ChunkEngine.Health> check(ChunkKey chunk) {
    var result = new CompletableFuture<ChunkEngine.Health>();
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

  private ChunkEngine.Health check(VersionWriter writer, ChunkKey chunk) {
    if (badVersions(chunk).isEmpty()) {
      return ChunkEngine.Health.GOOD;
    }
    return repair(writer, chunk) ? ChunkEngine.Health.REPAIRED : ChunkEngine.Health.BAD;
  }

  private List<VersionRecord> badVersions(ChunkKey chunk) {
    return states.durable(chunk).versions().filter(each -> isBad(chunk, each)).toList();
  }

  private boolean isBad(ChunkKey chunk, VersionRecord version) {
    try {
      int granule = reader.firstBadGranule(version);
      if (granule >= 0) {
        report(chunk, new BadBlockException(version, granule));
      }
      return granule >= 0;
    } catch (IOException e) {
      count();
      log.error("block cannot be read engine={} chunk={}", name, chunk, e);
      return true;
    }
  }

  /**
   * Fetches the committed version from another replica and puts it in place of the bad one. On the
   * chunk's writer lane.
   */
  boolean repair(VersionWriter writer, ChunkKey chunk) {
    ChunkRecord record = states.current(chunk);
    VersionRecord committed = record.committed();
    if (committed == null || committed.block() == null) {
      return false;
    }
    BlockRef from = committed.block();
    boolean shared = record.pending().stream().anyMatch(each -> from.equals(each.block()));
    Optional<PayloadBuffer> buffer = parts.scratch().tryAcquire(committed.chunkBytes());
    if (shared || buffer.isEmpty()) {
      log.warn("repair must wait engine={} chunk={} pending={}", name, chunk, shared);
      buffer.ifPresent(PayloadBuffer::release);
      return false;
    }
    try {
      MemorySegment bytes = buffer.get().segment();
      parts.replicas().fetch(chunk, committed.version(), bytes);
      if (Granules.firstMismatch(0, bytes, committed.granules()) >= 0) {
        throw new IOException("replica's bytes are others: chunk=" + chunk);
      }
      var _ = changes.move(chunk, from, writer.writeCopy(bytes, committed));
      log.info("repaired engine={} chunk={} version={}", name, chunk, committed.version());
      return true;
    } catch (IOException e) {
      log.warn("repair failed engine={} chunk={}", name, chunk, e);
      return false;
    } finally {
      buffer.get().release();
    }
  }
}
