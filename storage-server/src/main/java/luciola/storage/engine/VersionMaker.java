package luciola.storage.engine;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.NoSpaceException;
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
  private final boolean oneThread;

  VersionMaker(
      ChunkStates states,
      CommitLoop loop,
      ChunkRepair repair,
      Compactor compactor,
      boolean oneThread) {
    this.states = states;
    this.loop = loop;
    this.repair = repair;
    this.compactor = compactor;
    this.oneThread = oneThread;
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
      awaitFreed(e);
      compactor.needed();
    } catch (BadBlockException e) {
      repair.report(update.chunk(), e);
      if (!repair.repair(writer, update.chunk())) {
        throw e;
      }
    }
    return makeOnce(writer, update);
  }

  private VersionWriter.Written makeOnce(VersionWriter writer, ChunkUpdate update)
      throws IOException {
    @Nullable VersionRecord base = states.current(update.chunk()).newest().orElse(null);
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
      return new VersionWriter.Written(
          VersionRecord.tombstone(update.version(), update.chainVersion()), Optional.empty());
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

  /** Waits until blocks freed so far can be used again. */
  private void awaitFreed(NoSpaceException cause) throws IOException {
    var done = new CompletableFuture<Boolean>();
    loop.put(CommitLoop.Item.of(List.of(), List.of(), failed -> done.complete(failed == null)));
    if (oneThread) {
      loop.commitAll();
    }
    if (!done.join()) {
      throw cause;
    }
  }
}
