package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads versions that are held; what turns out bad is given to the repair. */
final class ChunkReads {
  private static final Logger log = LoggerFactory.getLogger(ChunkReads.class);

  private final String name;
  private final ChunkStates states;
  private final BlockStore blocks;
  private final VersionReader reader;
  private final ChunkRepair repair;

  ChunkReads(
      String name,
      ChunkStates states,
      BlockStore blocks,
      VersionReader reader,
      ChunkRepair repair) {
    this.name = name;
    this.states = states;
    this.blocks = blocks;
    this.reader = reader;
    this.repair = repair;
  }

  /** See {@link ChunkEngine#hold}. */
  HeldVersion hold(ChunkKey chunk, ChunkVersion version) {
    return states.locked(
        chunk,
        () -> {
          VersionRecord record = find(chunk, version);
          return held(chunk, record);
        });
  }

  /** See {@link ChunkEngine#holdSettled}. */
  @Nullable HeldVersion holdSettled(ChunkKey chunk) {
    return states.locked(
        chunk,
        () -> {
          VersionRecord settled = states.settled(chunk);
          return settled == null || settled.removed() ? null : held(chunk, settled);
        });
  }

  private HeldVersion held(ChunkKey chunk, VersionRecord version) {
    return new HeldVersion(
        chunk,
        version,
        version.block() == null ? Optional.empty() : Optional.of(blocks.pin(version.blocks())));
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

  /** See {@link ChunkEngine#read(HeldVersion, int, int)}. */
  ChunkRead read(HeldVersion held, int offset, int length) {
    try {
      return held.pin().isEmpty()
          ? VersionReader.empty(held.version())
          : reader.read(held.version(), held.pin().get(), offset, length);
    } catch (BadBlockException e) {
      repair.report(held.chunk(), e);
      repair.start(held.chunk());
      throw e;
    } catch (IOException e) {
      throw unreadable(held, e);
    }
  }

  /** See {@link ChunkEngine#readWhole}. */
  void readWhole(HeldVersion held, MemorySegment into) {
    try {
      reader.readWhole(held.version(), into);
    } catch (BadBlockException e) {
      repair.report(held.chunk(), e);
      repair.start(held.chunk());
      throw e;
    } catch (IOException e) {
      throw unreadable(held, e);
    }
  }

  private LuciolaException unreadable(HeldVersion held, IOException e) {
    repair.count();
    log.error("read failed engine={} chunk={} {}", name, held.chunk(), held.version(), e);
    repair.start(held.chunk());
    return new LuciolaException(ErrorCode.DISK_ERROR, "read: chunk=" + held.chunk(), e);
  }
}
