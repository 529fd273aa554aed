package luciola.storage.engine;

import java.io.IOException;
import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.NoSpaceException;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * Makes the next version of a chunk out of an update: writes the bytes, and where that fails for
 * want of space or for bad old bytes, tries once more after help. On the chunk's writer lane.
 */
final class VersionMaker {
  private final ChunkStates states;
  private final CommitLoop loop;
  private final ChunkRepair repair;
  private final Compactor compactor;
  private final BlockStore blocks;

  VersionMaker(
      ChunkStates states,
      CommitLoop loop,
      ChunkRepair repair,
      Compactor compactor,
      BlockStore blocks) {
    this.states = states;
    this.loop = loop;
    this.repair = repair;
    this.compactor = compactor;
    this.blocks = blocks;
  }

  /**
   * Writes the version, not flushed.
   *
   * @throws LuciolaException MISSING_UPDATE; {@link BadBlockException} if old bytes went bad
   * @throws NoSpaceException if there is no room, also not after freed blocks came back
   */
  VersionWriter.Written make(VersionWriter writer, ChunkUpdate update) throws IOException {
    try {
      return makeOnce(writer, update);
    } catch (NoSpaceException e) {
      if (!loop.settle()) {
        throw e;
      }
      compactor.needed();
    } catch (BadBlockException e) {
      repair.report(update.chunk(), e);
      if (!repair.repair(writer, update.chunk(), e.version())) {
        throw e;
      }
    }
    return makeOnce(writer, update);
  }

  private VersionWriter.Written makeOnce(VersionWriter writer, ChunkUpdate update)
      throws IOException {
    try (Base base = base(update.chunk())) {
      return make(writer, update, base.version());
    }
  }

  /** What an update builds on, kept as it is meanwhile: it may be discarded at any time. */
  private record Base(@Nullable VersionRecord version, BlockStore.Pin pin)
      implements AutoCloseable {
    @Override
    public void close() {
      pin.close();
    }
  }

  private Base base(ChunkKey chunk) {
    return states.locked(
        chunk,
        () -> {
          @Nullable VersionRecord newest = states.current(chunk).newest().orElse(null);
          return new Base(newest, blocks.pin(newest == null ? List.of() : newest.blocks()));
        });
  }

  private static VersionWriter.Written make(
      VersionWriter writer, ChunkUpdate update, @Nullable VersionRecord base) throws IOException {
    ChunkVersion held = base == null ? ChunkVersion.NONE : base.version();
    boolean whole = update.update() instanceof Update.Replace;
    if (!whole && !follows(update.version(), base)) {
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
      return VersionWriter.Written.nothing(
          VersionRecord.tombstone(update.version(), update.chainVersion()));
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

  /**
   * Versions of a chunk that does not exist may leave numbers out: it may be forgotten elsewhere.
   */
  private static boolean follows(ChunkVersion version, @Nullable VersionRecord base) {
    if (base == null) {
      return true;
    }
    return base.removed()
        ? version.compareTo(base.version()) > 0
        : version.equals(base.version().next());
  }

  private static boolean isRemoval(Update update) {
    return update instanceof Update.Remove
        || (update instanceof Update.Replace replace && replace.removed());
  }
}
