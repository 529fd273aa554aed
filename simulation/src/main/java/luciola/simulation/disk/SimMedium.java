package luciola.simulation.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkVersion;
import luciola.simulation.world.World;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockFile;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.DiskSpace;
import luciola.storage.index.ChunkIndex;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.KeyValues;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/** One disk, over all lives of the process that uses it. */
public final class SimMedium {
  private static final long ROOM_BYTES = 1L << 40;

  /** How a disk lies, as a planted bug. */
  public enum Lie {
    /** A flush of a block file does nothing. */
    FLUSH,
    /** Synced metadata is not synced. */
    SYNC,
    /** Dedup records are not found. */
    TAGS
  }

  private final World world;
  private final List<SimBlocks> files = new ArrayList<>();
  private final SimPairs pairs;
  private Power power;
  private double errorChance;
  private double fullChance;
  private @Nullable ChunkIndex durable;

  /** An empty disk, switched off. */
  public SimMedium(World world, Lie... lies) {
    this.world = world;
    List<Lie> all = Arrays.asList(lies);
    this.power = new Power(world);
    this.pairs = new SimPairs(world, !all.contains(Lie.SYNC), all.contains(Lie.TAGS));
    for (int number = 0; number < BlockClass.COUNT; number++) {
      files.add(new SimBlocks(world, new BlockClass(number), !all.contains(Lie.FLUSH)));
    }
  }

  /** A new life begins. */
  public void on() {
    power = new Power(world);
  }

  /** From here on it fails as it was told to. */
  public void inUse() {
    power.failing(errorChance, fullChance);
  }

  /** The process dies: what it had written, the operating system still has. */
  public void kill() {
    power.off();
  }

  /** The machine dies. */
  public void losePower() {
    power.off();
    files.forEach(SimBlocks::losePower);
    pairs.losePower();
  }

  /** Power goes in the middle of what the process does, after some more calls. */
  public void cutAfter(int calls, Runnable then) {
    power.cutAfter(calls, then);
  }

  /** Makes calls fail from now on with these probabilities: of I/O errors, of a full disk. */
  public void failing(double errors, double full) {
    errorChance = errors;
    fullChance = full;
    power.failing(errors, full);
  }

  /** Turns a bit over in the first bytes of a block; whether they were flushed. */
  public boolean rot(BlockRef block, int bytes) {
    int within = Math.min(bytes, block.blockClass().blockBytes());
    return files.get(block.blockClass().number()).rot(block.position(), within);
  }

  /** Whether a bit of a block was turned over since it was written. */
  public boolean rotten(BlockRef block) {
    return files
        .get(block.blockClass().number())
        .rotten(block.position(), block.blockClass().blockBytes());
  }

  /** The block files, for this life. */
  public BlockFile.Opener files() {
    Power ofLife = power;
    return blockClass -> files.get(blockClass.number()).open(ofLife);
  }

  /** The metadata, for this life. */
  public KeyValues pairs() {
    return pairs.open(power);
  }

  /** The room that is left. */
  public DiskSpace space() {
    Power ofLife = power;
    return () -> ofLife.full() ? 0 : ROOM_BYTES;
  }

  /** The newest version of a chunk that would survive a loss of power at this very time. */
  public ChunkVersion newestDurable(ChunkKey chunk) {
    return durable().chunk(chunk).newest().map(VersionRecord::version).orElse(ChunkVersion.NONE);
  }

  /** The floor of versions of a chain that would survive it. */
  public ChunkVersion floorDurable(ChainId chain) {
    return durable().chains().stream()
        .filter(totals -> totals.chain().equals(chain))
        .map(totals -> new ChunkVersion(totals.versionFloor()))
        .findFirst()
        .orElse(ChunkVersion.NONE);
  }

  private ChunkIndex durable() {
    @Nullable ChunkIndex opened = durable;
    if (opened == null) {
      try {
        opened = ChunkIndex.open(pairs.durable(new Power(world)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      durable = opened;
    }
    return opened;
  }
}
