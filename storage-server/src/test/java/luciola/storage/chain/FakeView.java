package luciola.storage.chain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;

/** Versions in memory, moved by the effects as an engine would move them. */
public final class FakeView implements ChunkView {
  private final Map<ChunkId, ChunkState> chunks = new TreeMap<>();
  private final Map<String, DedupRecord> records = new HashMap<>();
  private boolean full;
  private ChunkVersion floor = ChunkVersion.NONE;

  /** Puts a chunk there. */
  public void hold(ChunkId chunk, ChunkState state) {
    chunks.put(chunk, state);
  }

  /** Puts a committed version there. */
  public void hold(ChunkId chunk, long committed, int chainVersion, int checksum) {
    hold(
        chunk,
        new ChunkState(new ChunkVersion(committed), chainVersion, false, 64, checksum, List.of()));
  }

  void fill() {
    full = true;
  }

  void makeRoom() {
    full = false;
  }

  void remember(DedupRecord record) {
    records.put(key(record.tag().client(), record.tag().channel()), record);
  }

  private static String key(ClientId client, int channel) {
    return client + "/" + channel;
  }

  void durable(ChunkId chunk, PendingVersion version) {
    ChunkState before = state(chunk);
    var pending = new ArrayList<>(before.pending());
    pending.add(version);
    hold(chunk, with(before, pending));
    version
        .tag()
        .ifPresent(
            tag -> remember(new DedupRecord(tag, chunk, version.version(), version.chunkBytes())));
  }

  private static ChunkState with(ChunkState state, List<PendingVersion> pending) {
    return new ChunkState(
        state.committed(),
        state.committedChainVersion(),
        state.removed(),
        state.chunkBytes(),
        state.checksum(),
        pending);
  }

  void apply(ChainEffect effect) {
    switch (effect) {
      case ChainEffect.Commit commit -> {
        ChunkState before = state(commit.chunk());
        PendingVersion committed =
            before.pending().stream()
                .filter(version -> version.version().equals(commit.version()))
                .findFirst()
                .orElseThrow();
        hold(
            commit.chunk(),
            new ChunkState(
                committed.version(),
                commit.chainVersion().value(),
                committed.removed(),
                committed.chunkBytes(),
                committed.checksum(),
                before.pending().stream()
                    .filter(version -> version.version().compareTo(commit.version()) > 0)
                    .toList()));
      }
      case ChainEffect.Discard discard -> {
        ChunkState before = state(discard.chunk());
        hold(
            discard.chunk(),
            with(
                before,
                before.pending().stream()
                    .filter(version -> version.version().compareTo(discard.from()) < 0)
                    .toList()));
        records
            .values()
            .removeIf(record ->
                record.chunk().equals(discard.chunk())
                    && record.version().compareTo(discard.from()) >= 0);
      }
      case ChainEffect.Forget forget ->
          forget
              .removed()
              .forEach(each -> {
                ChunkState held = state(each.chunk());
                if (held.removed()
                    && held.committed().equals(each.version())
                    && held.pending().isEmpty()) {
                  chunks.remove(each.chunk());
                }
              });
      case ChainEffect.StoreDedup dedup -> dedup.records().forEach(this::remember);
      default -> {}
    }
  }

  @Override
  public ChunkState state(ChunkId chunk) {
    return chunks.getOrDefault(chunk, ChunkState.MISSING);
  }

  @Override
  public Optional<DedupRecord> dedup(ClientId client, int channel) {
    return Optional.ofNullable(records.get(key(client, channel)));
  }

  @Override
  public List<ChunkId> chunksWithPending() {
    return chunks.entrySet().stream()
        .filter(entry -> !entry.getValue().pending().isEmpty())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Makes the floor so high. */
  public void raise(long durable) {
    floor = new ChunkVersion(Math.max(durable, floor.value()));
  }

  @Override
  public ChunkVersion versionFloor() {
    return floor;
  }

  @Override
  public long tombstones() {
    return chunks.values().stream().filter(ChunkState::removed).count();
  }

  @Override
  public boolean empty() {
    return chunks.isEmpty() && records.isEmpty();
  }

  @Override
  public boolean hasRoomFor(long bytes) {
    return !full;
  }

  static PendingVersion pending(long version, UpdateTag tag, int checksum) {
    return new PendingVersion(new ChunkVersion(version), Optional.of(tag), false, 64, checksum);
  }
}
