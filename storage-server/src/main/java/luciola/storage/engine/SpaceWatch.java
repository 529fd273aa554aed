package luciola.storage.engine;

import java.io.IOException;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockStore;
import luciola.storage.disk.DiskMeters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How much room there is, and whether that is little. */
final class SpaceWatch {
  private static final Logger log = LoggerFactory.getLogger(SpaceWatch.class);

  /** Room that is kept for updates that are under way, where the target is large. */
  private static final long ROOM_BYTES = 256L << 20;

  private static final int LARGEST_BYTES = new BlockClass(BlockClass.COUNT - 1).blockBytes();

  private final String name;
  private final BlockStore blocks;
  private final DiskMeters meters;
  private final Compactor compactor;

  SpaceWatch(String name, BlockStore blocks, DiskMeters meters, Compactor compactor) {
    this.name = name;
    this.blocks = blocks;
    this.meters = meters;
    this.compactor = compactor;
  }

  /** See {@link ChunkEngine#hasRoomFor}. */
  boolean hasRoomFor(long bytes) {
    try {
      boolean room = bytes <= LARGEST_BYTES && blocks.hasRoomFor((int) bytes, margin());
      if (!room) {
        compactor.needed();
      }
      return room;
    } catch (IOException e) {
      log.warn("free space is not known engine={}", name, e);
      return false;
    }
  }

  private long margin() throws IOException {
    return Math.min(blocks.capacityBytes() / 10, ROOM_BYTES);
  }

  EngineUsage usage(long chunks) {
    try {
      long capacity = blocks.capacityBytes();
      long used = blocks.takenBytes();
      boolean low = capacity - used < capacity / 10 || !blocks.hasRoomFor(1, margin());
      if (low) {
        compactor.needed();
      }
      return new EngineUsage(
          capacity,
          used,
          blocks.preallocatedBytes(),
          chunks,
          low,
          meters.reads().latency(),
          meters.writes().latency(),
          meters.flushes().latency());
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "usage: engine=" + name, e);
    }
  }
}
