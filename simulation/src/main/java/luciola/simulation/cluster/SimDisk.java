package luciola.simulation.cluster;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;
import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.Content;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.chain.ChunkView;
import org.jspecify.annotations.Nullable;

/**
 * One target's storage for one chain. What is staged becomes durable in order, some time later; a
 * crash loses what is not durable, keeps some of it without having said so, and may lose commit
 * marks that no later durable write came after.
 */
final class SimDisk implements ChunkView, AcknowledgedWritesSurvive.Replica {
  private static final long MICRO = 1_000;

  private final World world;
  private final SimProcess process;
  private final Rules rules;
  private final String name;
  private final boolean forgetsTags;
  private final boolean slow;
  private final Map<ChunkId, Stored> chunks = new TreeMap<>();
  private final Map<Channel, DedupRecord> records = new TreeMap<>();
  private final Set<ChunkId> unsyncedMarks = new LinkedHashSet<>();
  private final ArrayDeque<Write> queue = new ArrayDeque<>();
  private double errorChance;
  private double fullChance;
  private boolean written;

  private record Channel(ClientId client, int number) implements Comparable<Channel> {
    @Override
    public int compareTo(Channel other) {
      int byClient = client.compareTo(other.client);
      return byClient != 0 ? byClient : Integer.compare(number, other.number);
    }
  }

  private record Version(ChunkVersion version, Optional<UpdateTag> tag, Content content) {}

  private static final class Stored {
    Version committed = new Version(ChunkVersion.NONE, Optional.empty(), Content.MISSING);
    int committedChainVersion;
    final List<Version> pending = new ArrayList<>();

    /** What a crash may go back to, and the versions committed since. */
    @Nullable Version marked;

    int markedChainVersion;
    final List<Version> sinceMark = new ArrayList<>();

    ChunkVersion newest() {
      return pending.isEmpty() ? committed.version() : pending.getLast().version();
    }
  }

  /** Something on its way to being durable. */
  private record Write(
      ChunkId chunk, Version version, int chainVersion, long install, Consumer<ChainEvent> notice) {
    static final long NO_INSTALL = 0;
  }

  SimDisk(World world, SimProcess process, Rules rules, String name, boolean forgetsTags) {
    this.world = world;
    this.process = process;
    this.rules = rules;
    this.name = name;
    this.forgetsTags = forgetsTags;
    this.slow = world.chance(0.3);
  }

  @Override
  public String name() {
    return name;
  }

  /** Makes writes fail from now on with these probabilities. */
  void failing(double diskErrorChance, double noSpaceChance) {
    errorChance = diskErrorChance;
    fullChance = noSpaceChance;
  }

  // What the cores see.

  @Override
  public ChunkState state(ChunkId chunk) {
    Stored stored = chunks.get(chunk);
    if (stored == null) {
      return ChunkState.MISSING;
    }
    Content content = stored.committed.content();
    return new ChunkState(
        stored.committed.version(),
        stored.committedChainVersion,
        !stored.committed.version().equals(ChunkVersion.NONE) && !content.exists(),
        content.bytes(),
        content.checksum(),
        stored.pending.stream()
            .map(version ->
                new PendingVersion(
                    version.version(),
                    version.tag(),
                    !version.content().exists(),
                    version.content().bytes(),
                    version.content().checksum()))
            .toList());
  }

  @Override
  public Optional<DedupRecord> dedup(ClientId client, int channel) {
    return forgetsTags
        ? Optional.empty()
        : Optional.ofNullable(records.get(new Channel(client, channel)));
  }

  @Override
  public List<ChunkId> chunksWithPending() {
    return chunks.entrySet().stream()
        .filter(entry -> !entry.getValue().pending.isEmpty())
        .map(Map.Entry::getKey)
        .toList();
  }

  @Override
  public boolean empty() {
    return !written;
  }

  @Override
  public boolean hasRoomFor(long bytes) {
    return fullChance == 0 || !world.chance(fullChance);
  }

  @Override
  public ChunkVersion newestDurable(ChunkId chunk) {
    Stored stored = chunks.get(chunk);
    return stored == null ? ChunkVersion.NONE : stored.newest();
  }

  /** All chunks in order. */
  List<ChunkSummary> inventory() {
    return chunks.entrySet().stream()
        .map(entry -> {
          ChunkState state = state(entry.getKey());
          return new ChunkSummary(
              entry.getKey(),
              state.committed(),
              state.newest(),
              state.committedChainVersion(),
              state.removed(),
              state.chunkBytes(),
              state.checksum());
        })
        .toList();
  }

  /** A page of them. */
  List<ChunkSummary> inventory(Optional<ChunkId> after, int limit) {
    return inventory().stream()
        .filter(held -> after.isEmpty() || held.chunk().compareTo(after.get()) > 0)
        .limit(limit)
        .toList();
  }

  /** A page of dedup records in order. */
  List<DedupRecord> records(Optional<UpdateTag> after, int limit) {
    return records.entrySet().stream()
        .filter(entry ->
            after.isEmpty()
                || entry
                        .getKey()
                        .compareTo(new Channel(after.get().client(), after.get().channel()))
                    > 0)
        .map(Map.Entry::getValue)
        .limit(limit)
        .toList();
  }

  /** The content of a version that is held; empty if it is not. */
  Optional<Content> content(ChunkId chunk, ChunkVersion version) {
    if (version.equals(ChunkVersion.NONE)) {
      return Optional.of(Content.MISSING);
    }
    Stored stored = chunks.get(chunk);
    if (stored == null) {
      return Optional.empty();
    }
    if (stored.committed.version().equals(version)) {
      return Optional.of(stored.committed.content());
    }
    return stored.pending.stream()
        .filter(pending -> pending.version().equals(version))
        .map(Version::content)
        .findFirst();
  }

  // What effects do.

  void stage(ChainEffect.Stage stage, Content payload, Consumer<ChainEvent> notice) {
    Content base =
        stage.update() instanceof Update.Replace
            ? Content.MISSING
            : staged(stage.chunk(), stage.base());
    Content content = base.after(stage.update(), payload);
    enqueue(
        new Write(
            stage.chunk(),
            new Version(stage.version(), stage.tag(), content),
            stage.chainVersion().value(),
            Write.NO_INSTALL,
            notice));
  }

  void install(ChainEffect.Install install, Content payload, Consumer<ChainEvent> notice) {
    enqueue(
        new Write(
            install.chunk(),
            new Version(
                install.version(), Optional.empty(), install.removed() ? Content.MISSING : payload),
            install.chainVersion(),
            install.request(),
            notice));
  }

  /** What a stage that was just queued will make. */
  Optional<Content> staged(ChainEffect.Stage stage) {
    return queue.stream()
        .filter(write ->
            write.chunk().equals(stage.chunk())
                && write.version().version().equals(stage.version()))
        .map(write -> write.version().content())
        .findFirst();
  }

  private Content staged(ChunkId chunk, ChunkVersion version) {
    Content found = null;
    for (Write write : queue) {
      if (write.chunk().equals(chunk) && write.version().version().equals(version)) {
        found = write.version().content();
      }
    }
    return found != null
        ? found
        : content(chunk, version)
            .orElseThrow(() ->
                new IllegalStateException(
                    name + ": staged on a version that is not held: " + chunk + " " + version));
  }

  private void enqueue(Write write) {
    queue.add(write);
    if (queue.size() == 1) {
      scheduleFlush();
    }
  }

  private void scheduleFlush() {
    long usual = world.between(100 * MICRO, slow ? 15_000 * MICRO : 1_500 * MICRO);
    process.later(world.chance(0.05) ? world.between(usual, 40_000 * MICRO) : usual, this::flush);
  }

  /** One group commit: some of what waits becomes durable together. */
  private void flush() {
    int group = 1 + world.below(4);
    var done = new ArrayList<Runnable>();
    while (group-- > 0 && !queue.isEmpty()) {
      Write write = queue.remove();
      Optional<ErrorCode> error = error();
      if (error.isPresent()) {
        done.addAll(failWith(write, error.get()));
      } else {
        apply(write);
        done.add(() -> write.notice().accept(durable(write)));
      }
    }
    if (!queue.isEmpty()) {
      scheduleFlush();
    }
    done.forEach(Runnable::run);
  }

  private Optional<ErrorCode> error() {
    if (errorChance > 0 && world.chance(errorChance)) {
      return Optional.of(ErrorCode.DISK_ERROR);
    }
    return fullChance > 0 && world.chance(fullChance / 4)
        ? Optional.of(ErrorCode.NO_SPACE)
        : Optional.empty();
  }

  /** The write and all later ones of its chunk fail. */
  private List<Runnable> failWith(Write failed, ErrorCode code) {
    var notices = new ArrayList<Runnable>();
    var all = new ArrayList<Write>();
    all.add(failed);
    queue.stream().filter(write -> write.chunk().equals(failed.chunk())).forEach(all::add);
    queue.removeAll(all);
    world.met("a write failed: " + code);
    for (Write write : all) {
      notices.add(() ->
          write
              .notice()
              .accept(new ChainEvent.LocalFailed(write.chunk(), write.version().version(), code)));
    }
    return notices;
  }

  private ChainEvent durable(Write write) {
    Content content = write.version().content();
    return write.install() == Write.NO_INSTALL
        ? new ChainEvent.LocalDurable(
            write.chunk(),
            write.version().version(),
            !content.exists(),
            content.bytes(),
            content.checksum())
        : new ChainEvent.InstallDurable(
            write.install(), write.chunk(), content.bytes(), content.checksum());
  }

  private void apply(Write write) {
    written = true;
    syncMarks();
    Stored stored = chunks.computeIfAbsent(write.chunk(), _ -> new Stored());
    if (write.install() != Write.NO_INSTALL) {
      stored.pending.clear();
      stored.committed = write.version();
      stored.committedChainVersion = write.chainVersion();
      if (write.version().version().equals(ChunkVersion.NONE)) {
        chunks.remove(write.chunk());
      }
      return;
    }
    stored.pending.add(write.version());
    Content content = write.version().content();
    write
        .version()
        .tag()
        .ifPresent(tag ->
            remember(
                new DedupRecord(tag, write.chunk(), write.version().version(), content.bytes())));
  }

  private void remember(DedupRecord record) {
    records.merge(
        new Channel(record.tag().client(), record.tag().channel()),
        record,
        (a, b) -> a.tag().sequence() >= b.tag().sequence() ? a : b);
  }

  void storeDedup(List<DedupRecord> more) {
    written = true;
    more.forEach(this::remember);
  }

  void commit(ChainEffect.Commit commit) {
    Stored stored = chunks.get(commit.chunk());
    if (stored == null || content(commit.chunk(), commit.version()).isEmpty()) {
      throw new IllegalStateException(name + ": commit of a version that is not held: " + commit);
    }
    if (stored.marked == null) {
      stored.marked = stored.committed;
      stored.markedChainVersion = stored.committedChainVersion;
    }
    unsyncedMarks.add(commit.chunk());
    while (!stored.pending.isEmpty()
        && stored.pending.getFirst().version().compareTo(commit.version()) <= 0) {
      Version version = stored.pending.removeFirst();
      stored.sinceMark.add(version);
      stored.committed = version;
      version.tag().ifPresent(tag -> committed(tag, commit.chunk(), version.version()));
    }
    stored.committedChainVersion = commit.chainVersion().value();
  }

  /** For the planted bug. */
  void dropTombstone(ChunkId chunk) {
    Stored stored = chunks.get(chunk);
    if (stored != null
        && stored.pending.isEmpty()
        && !stored.committed.version().equals(ChunkVersion.NONE)
        && !stored.committed.content().exists()
        && queue.stream().noneMatch(write -> write.chunk().equals(chunk))) {
      chunks.remove(chunk);
      unsyncedMarks.remove(chunk);
    }
  }

  private void committed(UpdateTag tag, ChunkId chunk, ChunkVersion version) {
    rules.once.committed(tag, chunk, version);
    if (rules.orphans.contains(tag)) {
      world.met(Probe.WRITE_DIED_WITH_CLIENT);
    }
  }

  void discard(ChainEffect.Discard discard) {
    queue.removeIf(write ->
        write.install() == Write.NO_INSTALL
            && write.chunk().equals(discard.chunk())
            && write.version().version().compareTo(discard.from()) >= 0);
    Stored stored = chunks.get(discard.chunk());
    if (stored != null) {
      stored.pending.removeIf(version -> version.version().compareTo(discard.from()) >= 0);
    }
    records
        .values()
        .removeIf(record ->
            record.chunk().equals(discard.chunk())
                && record.version().compareTo(discard.from()) >= 0);
    syncMarks();
    world.met("pending versions were dropped");
  }

  private void syncMarks() {
    for (ChunkId chunk : unsyncedMarks) {
      Stored stored = chunks.get(chunk);
      if (stored != null) {
        stored.marked = null;
        stored.sinceMark.clear();
      }
    }
    unsyncedMarks.clear();
  }

  // What happens to it.

  /** The process or the machine stops. */
  void crash() {
    while (!queue.isEmpty() && world.chance(0.4)) {
      world.met("a crash kept a write that had not been reported durable");
      apply(queue.remove());
    }
    if (!queue.isEmpty()) {
      world.met("a crash lost writes");
    }
    queue.clear();
    for (ChunkId chunk : unsyncedMarks) {
      Stored stored = chunks.get(chunk);
      if (stored != null && stored.marked != null && world.chance(0.5)) {
        world.met("a crash lost a commit mark");
        stored.pending.addAll(0, stored.sinceMark);
        stored.committed = stored.marked;
        stored.committedChainVersion = stored.markedChainVersion;
      }
      if (stored != null) {
        stored.marked = null;
        stored.sinceMark.clear();
      }
    }
    unsyncedMarks.clear();
  }

  /** Whether nothing is pending or being written. */
  boolean quiet() {
    return queue.isEmpty() && chunks.values().stream().allMatch(stored -> stored.pending.isEmpty());
  }

  /** Committed contents, by chunk. */
  Map<ChunkId, String> committedContents() {
    Map<ChunkId, String> contents = new TreeMap<>();
    chunks.forEach((chunk, stored) ->
        contents.put(chunk, stored.committed.version() + " " + stored.committed.content()));
    return contents;
  }

  /** Committed content of one chunk. */
  Content committedContent(ChunkId chunk) {
    Stored stored = chunks.get(chunk);
    return stored == null ? Content.MISSING : stored.committed.content();
  }
}
