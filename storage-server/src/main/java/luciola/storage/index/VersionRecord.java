package luciola.storage.index;

import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockRef;
import org.jspecify.annotations.Nullable;

/**
 * One version of one chunk.
 *
 * @param chainVersion version of the chain under which it was staged or, once committed, committed
 * @param removed whether the chunk does not exist in this version
 * @param chunkBytes length
 * @param block where the bytes are; null if there are none
 * @param granules CRC32C of each granule, not to be changed
 * @param tag the client's update that made it, while it is pending; empty for what no client made
 */
@SuppressWarnings("ArrayRecordComponent")
public record VersionRecord(
    ChunkVersion version,
    int chainVersion,
    boolean removed,
    int chunkBytes,
    @Nullable BlockRef block,
    int[] granules,
    Optional<UpdateTag> tag) {
  private static final int[] NO_GRANULES = {};

  public VersionRecord {
    if ((block == null) != (chunkBytes == 0)
        || (removed && chunkBytes != 0)
        || granules.length != Granules.count(0, chunkBytes)
        || (block != null && block.blockClass().blockBytes() < chunkBytes)) {
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
              + granules.length);
    }
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
        version, newChainVersion, removed, chunkBytes, block, granules, Optional.empty());
  }

  /** The same bytes in another block. */
  public VersionRecord withBlock(BlockRef newBlock) {
    return new VersionRecord(version, chainVersion, removed, chunkBytes, newBlock, granules, tag);
  }

  /** The same as made by a client's update. */
  public VersionRecord withTag(Optional<UpdateTag> newTag) {
    return new VersionRecord(version, chainVersion, removed, chunkBytes, block, granules, newTag);
  }

  /** The block, if there are bytes. */
  public Optional<BlockRef> blockIfAny() {
    return Optional.ofNullable(block);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof VersionRecord that
        && version.equals(that.version)
        && chainVersion == that.chainVersion
        && removed == that.removed
        && chunkBytes == that.chunkBytes
        && Objects.equals(block, that.block)
        && tag.equals(that.tag)
        && Arrays.equals(granules, that.granules);
  }

  @Override
  public int hashCode() {
    return version.hashCode() * 31 + Arrays.hashCode(granules);
  }
}
