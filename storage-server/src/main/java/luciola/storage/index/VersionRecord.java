package luciola.storage.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import org.jspecify.annotations.Nullable;

/**
 * One version of one chunk.
 *
 * @param chainVersion version of the chain under which it was staged or, once committed, committed
 * @param removed whether the chunk does not exist in this version
 * @param chunkBytes length
 * @param block where the bytes are but for the patches; null if there are none
 * @param patches granules that lie elsewhere
 * @param granules CRC32C of each granule wherever it lies, not to be changed
 * @param tag the client's update that made it, while it is pending; empty for what no client made
 */
@SuppressWarnings("ArrayRecordComponent")
public record VersionRecord(
    ChunkVersion version,
    int chainVersion,
    boolean removed,
    int chunkBytes,
    @Nullable BlockRef block,
    Patches patches,
    int[] granules,
    Optional<UpdateTag> tag) {
  private static final int[] NO_GRANULES = {};

  public VersionRecord {
    if ((block == null) != (chunkBytes == 0)
        || (removed && chunkBytes != 0)
        || granules.length != Granules.count(0, chunkBytes)
        || (block != null && block.blockClass().blockBytes() < chunkBytes)
        || (!patches.isEmpty() && patches.granule(patches.count() - 1) >= granules.length)) {
      throw new IllegalArgumentException(
          "bad version record: version="
              + version
              + " removed="
              + removed
              + " chunkBytes="
              + chunkBytes
              + " block="
              + block
              + " granules="
              + granules.length
              + " patches="
              + patches);
    }
  }

  /** One without patches. */
  public VersionRecord(
      ChunkVersion version,
      int chainVersion,
      boolean removed,
      int chunkBytes,
      @Nullable BlockRef block,
      int[] granules,
      Optional<UpdateTag> tag) {
    this(version, chainVersion, removed, chunkBytes, block, Patches.NONE, granules, tag);
  }

  /** A version in which the chunk does not exist. */
  public static VersionRecord tombstone(ChunkVersion version, int chainVersion) {
    return new VersionRecord(version, chainVersion, true, 0, null, NO_GRANULES, Optional.empty());
  }

  /** A version in which the chunk exists without a byte. */
  public static VersionRecord empty(ChunkVersion version, int chainVersion) {
    return new VersionRecord(version, chainVersion, false, 0, null, NO_GRANULES, Optional.empty());
  }

  /** The same as committed by a chain version. */
  public VersionRecord committedBy(int newChainVersion) {
    return new VersionRecord(
        version, newChainVersion, removed, chunkBytes, block, patches, granules, Optional.empty());
  }

  /** The same bytes where they are, as another version. */
  public VersionRecord as(ChunkVersion newVersion, int newChainVersion) {
    return new VersionRecord(
        newVersion,
        newChainVersion,
        removed,
        chunkBytes,
        block,
        patches,
        granules,
        Optional.empty());
  }

  /** The same bytes, all of them in one block. */
  public VersionRecord whollyIn(BlockRef newBlock) {
    return new VersionRecord(
        version, chainVersion, removed, chunkBytes, newBlock, Patches.NONE, granules, tag);
  }

  /** The same with one block in place of another, if it has that. */
  public VersionRecord moved(BlockRef from, BlockRef to) {
    return new VersionRecord(
        version,
        chainVersion,
        removed,
        chunkBytes,
        from.equals(block) ? to : block,
        patches.moved(from, to),
        granules,
        tag);
  }

  /** The same as made by a client's update. */
  public VersionRecord withTag(Optional<UpdateTag> newTag) {
    return new VersionRecord(
        version, chainVersion, removed, chunkBytes, block, patches, granules, newTag);
  }

  /** The block, if there are bytes. */
  public Optional<BlockRef> blockIfAny() {
    return Optional.ofNullable(block);
  }

  /** Every block that something of it lies in. */
  public List<BlockRef> blocks() {
    if (block == null) {
      return List.of();
    }
    if (patches.isEmpty()) {
      return List.of(block);
    }
    var all = new ArrayList<BlockRef>(1 + patches.count());
    all.add(block);
    patches.blocks().forEach(all::add);
    return all;
  }

  /** Those of its blocks that another version does not have for the same bytes. */
  public List<BlockRef> blocksUnlike(VersionRecord other) {
    if (block == null) {
      return List.of();
    }
    var unlike = new ArrayList<BlockRef>();
    if (!block.equals(other.block)) {
      unlike.add(block);
    }
    patches.addUnlike(other.patches, unlike);
    return unlike;
  }

  /** Whether something of it lies in a block. */
  public boolean liesIn(BlockRef some) {
    return some.equals(block) || patches.liesIn(some);
  }

  /** Length of a granule: the last one may be short. */
  public int granuleBytes(int granule) {
    return Math.min(Granules.BYTES, chunkBytes - granule * Granules.BYTES);
  }

  /**
   * Bytes that lie together.
   *
   * @param blockClass whose file they are in
   * @param position in that file
   * @param from first byte in the chunk
   * @param to end in the chunk
   */
  public record Extent(BlockClass blockClass, long position, int from, int to) {
    /** Length. */
    public int bytes() {
      return to - from;
    }

    private boolean goesOnAt(BlockClass otherClass, long otherPosition) {
      return blockClass.equals(otherClass) && position + bytes() == otherPosition;
    }
  }

  /** Where a range within the chunk lies, in order. */
  public List<Extent> extents(int from, int to) {
    if (block == null || from >= to) {
      return List.of();
    }
    if (patches.isEmpty()) {
      return List.of(new Extent(block.blockClass(), block.position() + from, from, to));
    }
    var all = new ArrayList<Extent>();
    int at = from;
    while (at < to) {
      int granule = at / Granules.BYTES;
      BlockRef patch = patches.at(granule);
      int end =
          Math.min(to, (patch == null ? patches.next(granule) : granule + 1) * Granules.BYTES);
      BlockRef in = patch == null ? block : patch;
      long position = in.position() + (patch == null ? at : at - granule * Granules.BYTES);
      if (!all.isEmpty() && all.getLast().goesOnAt(in.blockClass(), position)) {
        Extent last = all.removeLast();
        all.add(new Extent(last.blockClass(), last.position(), last.from(), end));
      } else {
        all.add(new Extent(in.blockClass(), position, at, end));
      }
      at = end;
    }
    return all;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof VersionRecord that
        && version.equals(that.version)
        && chainVersion == that.chainVersion
        && removed == that.removed
        && chunkBytes == that.chunkBytes
        && Objects.equals(block, that.block)
        && patches.equals(that.patches)
        && tag.equals(that.tag)
        && Arrays.equals(granules, that.granules);
  }

  @Override
  public int hashCode() {
    return version.hashCode() * 31 + Arrays.hashCode(granules);
  }
}
