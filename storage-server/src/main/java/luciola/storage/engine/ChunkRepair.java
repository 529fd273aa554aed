package luciola.storage.engine;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockRef;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds versions whose bytes went bad on the device and writes them anew, see {@link
 * GranuleCollector} for where the bytes come from. On the chunk's writer lane, in order with its
 * updates.
 */
final class ChunkRepair {
  private static final Logger log = LoggerFactory.getLogger(ChunkRepair.class);

  private final String name;
  private final EngineParts parts;
  private final ChunkStates states;
  private final CommitLoop loop;
  private final VersionReader reader;
  private final Writers writers;
  private final RecordChanges changes;
  private final AtomicLong checksumErrors = new AtomicLong();

  ChunkRepair(
      String name,
      EngineParts parts,
      ChunkStates states,
      CommitLoop loop,
      VersionReader reader,
      Writers writers,
      RecordChanges changes) {
    this.name = name;
    this.parts = parts;
    this.states = states;
    this.loop = loop;
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
    return repair(writer, chunk, this::isBad)
        ? ChunkEngine.Health.REPAIRED
        : ChunkEngine.Health.BAD;
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
   * Has every bad version of a chunk written anew, each as a whole to a block of its own. On the
   * chunk's writer lane.
   *
   * @param suspect the version that was found bad; repaired even if the device has it right
   * @return whether all of them are good now
   */
  boolean repair(VersionWriter writer, ChunkKey chunk, ChunkVersion suspect) {
    return repair(writer, chunk, each -> each.version().equals(suspect) || isBad(each));
  }

  private boolean repair(VersionWriter writer, ChunkKey chunk, Predicate<VersionRecord> isBad) {
    // Every version that is held is durable after that: no other comes, this is its lane.
    if (!loop.settle()) {
      return false;
    }
    ChunkRecord record = states.movable(chunk);
    Map<VersionRecord, BlockRef> restored = new LinkedHashMap<>();
    boolean all = true;
    for (VersionRecord each : record.versions().filter(isBad).toList()) {
      try {
        restored.put(each, restored(writer, chunk, record, each));
        log.info("repaired engine={} chunk={} version={}", name, chunk, each.version());
      } catch (IOException | LuciolaException e) {
        log.warn("repair failed engine={} chunk={} version={}", name, chunk, each.version(), e);
        all = false;
      }
    }
    if (!restored.isEmpty()) {
      changes.restored(chunk, restored);
    }
    return all && !restored.isEmpty();
  }

  private boolean isBad(VersionRecord version) {
    try {
      return reader.firstBadGranule(version) >= 0;
    } catch (IOException _) {
      return true;
    }
  }

  /** Has a version written anew, out of whatever granules still have their checksum somewhere. */
  private BlockRef restored(
      VersionWriter writer, ChunkKey chunk, ChunkRecord record, VersionRecord version)
      throws IOException {
    PayloadBuffer buffer =
        parts
            .scratch()
            .tryAcquire(version.chunkBytes() + Granules.BYTES)
            .orElseThrow(
                () -> new IOException("no memory for a repair: bytes=" + version.chunkBytes()));
    try {
      var collected = new GranuleCollector(chunk, version, record.committed(), buffer.segment());
      collected.takeOwn(reader);
      record.versions().forEach(other -> collected.takeFrom(other, reader));
      if (!collected.complete()) {
        collected.takeFrom(parts.replicas().others(chunk));
      }
      return writer.writeCopy(collected.bytes(), version);
    } finally {
      buffer.release();
    }
  }
}
