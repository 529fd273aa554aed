package luciola.simulation.cluster;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ChunkSummary;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.simulation.PlantedBug;
import luciola.simulation.check.AcknowledgedWritesSurvive;
import luciola.simulation.check.Content;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.disk.SimMedium;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.disk.BlockRef;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkRead;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.EngineParts;
import luciola.storage.engine.HeldVersion;
import luciola.storage.engine.ReplicaSource;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.ChunkRecord;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/** A target of a storage-server: its number, its disk, and while it runs its production engine. */
final class SimTarget {
  private static final int ALL = 1000;
  private static final EngineConfig CONFIG =
      EngineConfig.DEFAULTS
          .change()
          .reserveBytes(0)
          .writeThreads(2)
          .waitingMax(64)
          .groupMax(4)
          .metadataCacheBytes(1 << 20)
          .recordCacheBytes(64 << 10)
          .scratchBytes(64 << 20)
          .fileRangeBytes(1 << 30)
          .compactBytesPerSecond(1 << 24)
          .idleSyncMillis(20)
          .rewriteBytesMax(16 << 10)
          .patchesMax(3)
          .build();

  private final Cluster cluster;
  private final World world;
  private final SimServer server;
  private final long uuid;
  private final boolean slow;
  private final SimMedium medium;
  private long id;
  private @Nullable ChunkEngine engine;
  private boolean rotten;
  private long errorsSeen;

  SimTarget(Cluster cluster, SimServer server, long uuid) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.server = server;
    this.uuid = uuid;
    this.slow = world.chance(0.3);
    this.medium = new SimMedium(world, lies());
  }

  private SimMedium.Lie[] lies() {
    if (cluster.has(PlantedBug.ACK_BEFORE_DURABLE)) {
      return new SimMedium.Lie[] {SimMedium.Lie.SYNC};
    }
    if (cluster.has(PlantedBug.METADATA_BEFORE_DATA)) {
      return new SimMedium.Lie[] {SimMedium.Lie.FLUSH};
    }
    return cluster.has(PlantedBug.NO_DEDUP)
        ? new SimMedium.Lie[] {SimMedium.Lie.TAGS}
        : new SimMedium.Lie[0];
  }

  SimServer server() {
    return server;
  }

  SimMedium medium() {
    return medium;
  }

  long uuid() {
    return uuid;
  }

  /** 0 before the first registration. */
  long number() {
    return id;
  }

  TargetId id() {
    return new TargetId(id);
  }

  boolean registered() {
    return id != 0;
  }

  void number(long given) {
    id = given;
  }

  /** The engine, while the process runs. */
  Optional<ChunkEngine> engine() {
    return Optional.ofNullable(engine);
  }

  // Its lives.

  /** Opens the engine; what the metadata names must be there, whatever happened before. */
  ChunkEngine open() {
    medium.on();
    SimProcess process = server.process();
    try {
      ChunkEngine opened =
          ChunkEngine.open(
              process + "-" + uuid,
              new EngineParts(
                  CONFIG,
                  medium.files(),
                  medium.space(),
                  medium.pairs(),
                  new SimLanes(world, process, slow),
                  cluster.memory(),
                  this::others,
                  process::clockNanos));
      engine = opened;
      errorsSeen = 0;
      verify(opened);
      medium.inUse();
      return opened;
    } catch (IOException | LuciolaException e) {
      throw new RuleBroken("EnginesOpenAgain", this + ": " + e);
    }
  }

  /** Every version that the metadata names has its bytes, unless they rotted. */
  private void verify(ChunkEngine opened) {
    for (Chain chain : cluster.books().chains().values()) {
      for (ChunkSummary each : opened.chain(chain.id()).inventory(Optional.empty(), ALL).chunks()) {
        if (bad(chain.id(), each.chunk())) {
          continue;
        }
        opened
            .chunk(new ChunkKey(chain.id(), each.chunk()))
            .versions()
            .forEach(version -> {
              if (!version.patches().isEmpty()) {
                world.met("a target opened with a patched version");
              }
              if (read(opened, chain.id(), each.chunk(), version).isEmpty()) {
                throw new RuleBroken(
                    "MetadataNamesWholeBlocks",
                    this
                        + " chain="
                        + chain.id()
                        + " chunk="
                        + each.chunk()
                        + " version="
                        + version.version()
                        + " block="
                        + version.block());
              }
            });
      }
    }
  }

  /** Closed while the process goes on; what it wrote, the operating system still has. */
  void shut() {
    ChunkEngine former = engine;
    engine = null;
    try {
      if (former != null) {
        former.close();
      }
    } catch (IOException | LuciolaException e) {
      world.log(server.process().name(), () -> "closes a bad disk: " + e.getMessage());
    }
    medium.kill();
  }

  void crash(boolean power) {
    ChunkEngine former = engine;
    engine = null;
    if (power) {
      medium.losePower();
    } else {
      medium.kill();
    }
    if (former != null) {
      try {
        former.close();
      } catch (IOException | LuciolaException e) {
        world.log(server.process().name(), () -> "closes without power: " + e.getMessage());
      }
    }
  }

  /** The other replicas, as {@code OtherReplicas} finds them. */
  private List<ReplicaSource.Replica> others(ChunkKey chunk) {
    return server.routing().chain(chunk.chain()).stream()
        .flatMap(chain -> chain.members().stream())
        .map(ChainMember::target)
        .filter(other -> !other.equals(id()))
        .<ReplicaSource.Replica>map(
            other -> (key, version, offset, into) -> fetch(other, key, version, offset, into))
        .toList();
  }

  private boolean fetch(
      TargetId other, ChunkKey chunk, ChunkVersion version, int offset, MemorySegment into)
      throws IOException {
    ChunkEngine from =
        cluster
            .target(other)
            .filter(target -> cluster.reach(server, target.server()))
            .flatMap(SimTarget::engine)
            .orElseThrow(() -> new IOException("not reached: " + other));
    int bytes = Math.toIntExact(into.byteSize());
    try (ChunkRead read = from.read(chunk, fetched(from, chunk, version), offset, bytes)) {
      if (read.dataBytes() != bytes) {
        return false;
      }
      into.copyFrom(((ChunkRead.InMemory) read).data());
    } catch (LuciolaException e) {
      return false;
    }
    world.met(Probe.ROT_REPAIRED);
    return true;
  }

  private static ChunkVersion fetched(ChunkEngine from, ChunkKey chunk, ChunkVersion version) {
    return version.equals(ChunkVersion.NONE)
        ? from.chunk(chunk)
            .committedIfAny()
            .map(VersionRecord::version)
            .orElseThrow(() -> new LuciolaException(ErrorCode.CHUNK_NOT_FOUND, "fetch"))
        : version;
  }

  /** Some version of a chunk that has bytes, or the committed one. */
  Optional<VersionRecord> anyVersion(ChainId chain, ChunkId chunk, boolean committed) {
    ChunkEngine of = engine;
    if (of == null) {
      return Optional.empty();
    }
    ChunkRecord record = of.chunk(new ChunkKey(chain, chunk));
    List<VersionRecord> versions =
        (committed ? record.committedIfAny().stream() : record.versions())
            .filter(version -> version.block() != null)
            .toList();
    return versions.isEmpty()
        ? Optional.empty()
        : Optional.of(versions.get(world.below(versions.size())));
  }

  /** Turns a bit over in a version of a chunk; false if it is not flushed yet. */
  boolean rot(ChainId chain, ChunkId chunk, VersionRecord version) {
    List<BlockRef> blocks = version.blocks();
    boolean turned = medium.rot(blocks.get(world.below(blocks.size())), version.chunkBytes());
    if (turned) {
      rotten = true;
      world.log("fault", () -> "a bit turns over on " + this + " chain=" + chain + " " + chunk);
    }
    return turned;
  }

  /** Whether it runs and holds that version, and no bit of the chunk was turned over. */
  boolean hasGood(ChainId chain, ChunkId chunk, ChunkVersion version) {
    ChunkEngine of = engine;
    return of != null
        && of.chunk(new ChunkKey(chain, chunk)).find(version).isPresent()
        && !bad(chain, chunk);
  }

  /** Whether bits were turned over in what it holds of a chunk, and not written anew since. */
  boolean bad(ChainId chain, ChunkId chunk) {
    ChunkEngine of = engine;
    return rotten
        && (of == null
            || of.chunk(new ChunkKey(chain, chunk)).blocks().stream().anyMatch(medium::rotten));
  }

  /** Whether everything that it holds of a chain is good, which no bit was turned over in. */
  boolean whole(ChainId chain) {
    ChunkEngine of = engine;
    if (!rotten || of == null) {
      return of != null;
    }
    for (ChunkSummary each : of.chain(chain).inventory(Optional.empty(), ALL).chunks()) {
      boolean good =
          of.chunk(new ChunkKey(chain, each.chunk()))
              .versions()
              .allMatch(version -> read(of, chain, each.chunk(), version).isPresent());
      if (!good) {
        return false;
      }
    }
    return true;
  }

  /** One look over everything, as the scrub takes. */
  void scrub(ChainId chain) {
    ChunkEngine of = engine;
    if (of == null) {
      return;
    }
    for (ChunkSummary each : of.chain(chain).inventory(Optional.empty(), ALL).chunks()) {
      var _ =
          of.check(new ChunkKey(chain, each.chunk()))
              .whenComplete((health, _) -> {
                if (health != null && health != ChunkEngine.Health.GOOD) {
                  world.met(Probe.ROT_FOUND_BY_SCRUB);
                }
              });
    }
  }

  /** Whether bad bytes were found since this was last asked. */
  boolean foundErrors() {
    ChunkEngine of = engine;
    long seen = of == null ? 0 : of.checksumErrors();
    boolean more = seen > errorsSeen;
    errorsSeen = seen;
    return more;
  }

  boolean rotten() {
    return rotten;
  }

  // What it holds, for the rules.

  /** What it holds of a chain, as a loss of power would leave it. */
  AcknowledgedWritesSurvive.Replica replica(ChainId chain) {
    return new AcknowledgedWritesSurvive.Replica() {
      @Override
      public ChunkVersion newestDurable(ChunkId chunk) {
        return medium.newestDurable(new ChunkKey(chain, chunk));
      }

      @Override
      public ChunkVersion floorDurable() {
        return medium.floorDurable(chain);
      }

      @Override
      public String name() {
        return server.process() + "/" + SimTarget.this;
      }
    };
  }

  /** The floor of versions of a chain. */
  long versionFloor(ChainId chain) {
    return running().chain(chain).totals().versionFloor();
  }

  /**
   * Committed contents of a chain, tombstones too.
   *
   * @param floor tombstones up to this version may be forgotten elsewhere, and are left out
   */
  Map<ChunkId, String> committed(ChainId chain, long floor) {
    ChunkEngine of = running();
    Map<ChunkId, String> contents = new TreeMap<>();
    for (ChunkSummary each : of.chain(chain).inventory(Optional.empty(), ALL).chunks()) {
      if (!each.removed() || each.committed().value() > floor) {
        contents.put(each.chunk(), each.committed() + " " + content(chain, each.chunk()));
      }
    }
    return contents;
  }

  /** Committed content of one chunk. */
  Content content(ChainId chain, ChunkId chunk) {
    ChunkEngine of = running();
    return of.chunk(new ChunkKey(chain, chunk))
        .committedIfAny()
        .map(version ->
            read(of, chain, chunk, version)
                .orElseThrow(() ->
                    new RuleBroken(
                        "EveryReplicaIsWhole",
                        this + " chain=" + chain + " chunk=" + chunk + " " + version)))
        .orElse(Content.MISSING);
  }

  private ChunkEngine running() {
    ChunkEngine of = engine;
    if (of == null) {
      throw new IllegalStateException("not running: " + this);
    }
    return of;
  }

  /** The bytes of a version; empty if they are not those that were written. */
  private Optional<Content> read(
      ChunkEngine of, ChainId chain, ChunkId chunk, VersionRecord version) {
    if (version.removed()) {
      return Optional.of(Content.MISSING);
    }
    if (version.chunkBytes() == 0) {
      return Optional.of(Content.of(0, 0));
    }
    PayloadBuffer buffer = cluster.memory().tryAcquire(version.chunkBytes()).orElseThrow();
    try (HeldVersion held = of.hold(new ChunkKey(chain, chunk), version.version())) {
      of.readWhole(held, buffer.segment());
      return Optional.of(Content.fromBytes(buffer.segment().toArray(ValueLayout.JAVA_BYTE)));
    } catch (LuciolaException e) {
      return Optional.empty();
    } finally {
      buffer.release();
    }
  }

  @Override
  public String toString() {
    return "target" + id;
  }
}
