package luciola.storage.replica;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.storage.chain.ChunkView;
import luciola.storage.engine.ChainContents;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;

/**
 * What the replica of one chain sees of the engine: versions whose durable-notice it has been
 * given. Belongs to the chain's lane.
 */
final class EngineView implements ChunkView {
  private final ChainId chain;
  private final ChunkEngine engine;
  private final ChainContents contents;

  /** Stages without a notice yet: chunk → version → the stage's number. */
  private final Map<ChunkId, Map<ChunkVersion, Long>> staging = new HashMap<>();

  /** As far as it is known to be durable; the engine's own may be on its way to the disk. */
  private ChunkVersion floor;

  EngineView(ChainId chain, ChunkEngine engine) {
    this.chain = chain;
    this.engine = engine;
    this.contents = engine.chain(chain);
    this.floor = new ChunkVersion(contents.totals().versionFloor());
  }

  /** The floor of versions is durable up to here. */
  void raised(ChunkVersion durable) {
    if (durable.compareTo(floor) > 0) {
      floor = durable;
    }
  }

  /** A stage begins. */
  void staged(ChunkId chunk, ChunkVersion version, long stage) {
    staging.computeIfAbsent(chunk, _ -> new HashMap<>()).put(version, stage);
  }

  /** A stage ended; whether the replica still wants to know. */
  boolean noticed(ChunkId chunk, ChunkVersion version, long stage) {
    Map<ChunkVersion, Long> open = staging.get(chunk);
    boolean wanted = open != null && open.remove(version, stage);
    if (open != null && open.isEmpty()) {
      staging.remove(chunk);
    }
    return wanted;
  }

  /** Stages from a version on are dropped. */
  void discarded(ChunkId chunk, ChunkVersion from) {
    Map<ChunkVersion, Long> open = staging.get(chunk);
    if (open != null) {
      open.keySet().removeIf(version -> version.compareTo(from) >= 0);
      if (open.isEmpty()) {
        staging.remove(chunk);
      }
    }
  }

  @Override
  public ChunkState state(ChunkId chunk) {
    ChunkRecord record = engine.chunk(new ChunkKey(chain, chunk));
    Map<ChunkVersion, Long> open = staging.getOrDefault(chunk, Map.of());
    List<PendingVersion> pending =
        record.pending().stream()
            .filter(each -> !open.containsKey(each.version()))
            .map(EngineView::pending)
            .toList();
    VersionRecord committed = record.committed();
    return committed == null
        ? new ChunkState(ChunkVersion.NONE, 0, false, 0, 0, pending)
        : new ChunkState(
            committed.version(),
            committed.chainVersion(),
            committed.removed(),
            committed.chunkBytes(),
            ChunkEngine.checksum(committed),
            pending);
  }

  private static PendingVersion pending(VersionRecord version) {
    return new PendingVersion(
        version.version(),
        version.tag(),
        version.removed(),
        version.chunkBytes(),
        ChunkEngine.checksum(version));
  }

  @Override
  public Optional<DedupRecord> dedup(ClientId client, int channel) {
    return contents.dedup(client, channel);
  }

  @Override
  public List<ChunkId> chunksWithPending() {
    return contents.pendingChunks().stream()
        .map(ChunkKey::chunk)
        .filter(chunk -> !state(chunk).pending().isEmpty())
        .toList();
  }

  @Override
  public ChunkVersion versionFloor() {
    return floor;
  }

  @Override
  public long tombstones() {
    return contents.totals().tombstones();
  }

  @Override
  public boolean empty() {
    return contents.isEmpty();
  }

  @Override
  public boolean hasRoomFor(long bytes) {
    return engine.hasRoomFor(bytes);
  }
}
