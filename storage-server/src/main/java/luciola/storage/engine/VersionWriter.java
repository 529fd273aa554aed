package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.SmallBytes;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * Writes the bytes of a new version. One that only adds past the last page of the old one goes into
 * the same block where it fits; every other one into a new block (what is committed is never
 * written again). Old bytes are verified before they are carried over, and a granule whose bytes
 * are all from the sender keeps the sender's checksum.
 *
 * <p>Used by one thread at a time; owns a buffer of one piece.
 */
final class VersionWriter {
  /** Bytes written at once: a whole number of granules and of pages. */
  static final int PIECE_BYTES = 1 << 20;

  private final BlockStore blocks;
  private final MemorySegment buffer;

  /** Of the version that is being written. */
  private Optional<SmallBytes> small = Optional.empty();

  /**
   * Makes a writer.
   *
   * @param buffer page-aligned, {@link #PIECE_BYTES} long
   */
  VersionWriter(BlockStore blocks, MemorySegment buffer) {
    this.blocks = blocks;
    this.buffer = buffer;
  }

  /**
   * A version whose bytes are in their block.
   *
   * @param bytes what was written, to be flushed; empty where nothing was
   */
  record Written(VersionRecord version, Optional<Bytes> bytes) {
    private static Written nothing(VersionRecord version) {
      return new Written(version, Optional.empty());
    }
  }

  /**
   * Bytes that were written and are not durable yet.
   *
   * @param small all of them, where they are few
   */
  record Bytes(BlockRef block, Optional<SmallBytes> small) {}

  /**
   * Writes an image; not flushed.
   *
   * @param base the version it builds on; null if there is none
   * @throws BadBlockException if the base's bytes went bad
   */
  Written write(@Nullable VersionRecord base, Image image, ChunkVersion version, int chainVersion)
      throws IOException {
    if (image.chunkBytes() == 0) {
      return Written.nothing(VersionRecord.empty(version, chainVersion));
    }
    if (base != null && image.isOld(0, image.chunkBytes()) && sameLength(base, image)) {
      return Written.nothing(
          new VersionRecord(
              version,
              chainVersion,
              false,
              base.chunkBytes(),
              base.block(),
              base.granules(),
              Optional.empty()));
    }
    Optional<BlockRef> shared = sharedBlock(base, image);
    BlockRef block = shared.isPresent() ? shared.get() : blocks.allocate(image.chunkBytes());
    try {
      small = Optional.empty();
      int[] granules = writeTo(block, base, image, shared.isPresent());
      return new Written(
          new VersionRecord(
              version, chainVersion, false, image.chunkBytes(), block, granules, Optional.empty()),
          Optional.of(new Bytes(block, small)));
    } catch (IOException | RuntimeException e) {
      if (shared.isEmpty()) {
        blocks.release(block);
      }
      throw e;
    }
  }

  private static boolean sameLength(VersionRecord base, Image image) {
    return base.chunkBytes() == image.chunkBytes();
  }

  private static Optional<BlockRef> sharedBlock(@Nullable VersionRecord base, Image image) {
    if (base == null || base.block() == null) {
      return Optional.empty();
    }
    int from = image.appendFrom(base.chunkBytes(), BlockClass.pageCeiling(base.chunkBytes()));
    boolean fits = image.chunkBytes() <= base.block().blockClass().blockBytes();
    return from >= 0 && fits ? Optional.of(base.block()) : Optional.empty();
  }

  private int[] writeTo(BlockRef block, @Nullable VersionRecord base, Image image, boolean append)
      throws IOException {
    var granules = new int[Granules.count(0, image.chunkBytes())];
    int writeFrom = 0;
    int from = 0;
    if (append && base != null) {
      writeFrom = BlockClass.pageCeiling(base.chunkBytes());
      // The old version's last granule grows, if only by zeros: it is summed anew.
      from = base.chunkBytes() / Granules.BYTES * Granules.BYTES;
      System.arraycopy(base.granules(), 0, granules, 0, from / Granules.BYTES);
    }
    // All of it lies in one piece then: that is much longer than a granule and these together.
    boolean few = BlockClass.pageCeiling(image.chunkBytes()) - writeFrom <= SmallWrites.BYTES_MAX;
    for (int at = from; at < image.chunkBytes(); at += PIECE_BYTES) {
      int end = Math.min(at + PIECE_BYTES, image.chunkBytes());
      writePiece(block, base, image, at, end, Math.max(at, writeFrom), few, granules);
    }
    return granules;
  }

  private void writePiece(
      BlockRef block,
      @Nullable VersionRecord base,
      Image image,
      int from,
      int end,
      int writeFrom,
      boolean few,
      int[] granules)
      throws IOException {
    MemorySegment bytes = piece(base, image, from, end);
    for (int granule = from / Granules.BYTES; granule * Granules.BYTES < end; granule++) {
      int granuleFrom = granule * Granules.BYTES;
      int granuleEnd = Math.min(granuleFrom + Granules.BYTES, end);
      granules[granule] =
          image.isPayload(granuleFrom, granuleEnd)
              ? image.payloadChecksum(granule)
              : Granules.crc(bytes.asSlice(granuleFrom - from, granuleEnd - granuleFrom));
    }
    int length = BlockClass.pageCeiling(end) - writeFrom;
    if (length > 0) {
      MemorySegment fresh = bytes.asSlice(writeFrom - from, length);
      writePages(block, writeFrom, fresh, few);
    }
  }

  private void writePages(BlockRef block, int from, MemorySegment pages, boolean few)
      throws IOException {
    long position = block.position() + from;
    if (few) {
      blocks.file(block).writeCached(position, pages);
      small =
          Optional.of(
              new SmallBytes(
                  new SmallBytes.Place(block.blockClass(), position),
                  pages.toArray(ValueLayout.JAVA_BYTE)));
    } else {
      blocks.file(block).write(position, pages);
    }
  }

  /** Bytes {@code [from, pageCeiling(end))} of the image, page-aligned in memory. */
  private MemorySegment piece(@Nullable VersionRecord base, Image image, int from, int end)
      throws IOException {
    if (image.isPayload(from, end) && end % BlockClass.PAGE_BYTES == 0) {
      MemorySegment direct = image.payloadSlice(from, end);
      if (direct.isNative() && direct.address() % BlockClass.PAGE_BYTES == 0) {
        return direct;
      }
    }
    if (base != null && image.needsOld(from, end)) {
      readOld(base, image, from, end);
    }
    int pageEnd = BlockClass.pageCeiling(end);
    int zerosFrom = Math.clamp(image.keptBytes(), from, pageEnd);
    buffer.asSlice(zerosFrom - from, pageEnd - zerosFrom).fill((byte) 0);
    int payloadFrom = image.payloadFrom(from, end);
    int payloadTo = image.payloadTo(from, end);
    if (payloadTo > payloadFrom) {
      MemorySegment.copy(
          image.payloadSlice(payloadFrom, payloadTo),
          0,
          buffer,
          payloadFrom - from,
          payloadTo - payloadFrom);
    }
    return buffer.asSlice(0, pageEnd - from);
  }

  /** Reads the old granules of a piece and verifies those that something is kept of. */
  private void readOld(VersionRecord base, Image image, int from, int end) throws IOException {
    BlockRef block = base.block();
    if (block == null) {
      throw new IllegalStateException("kept bytes without a block: version=" + base.version());
    }
    int granulesEnd = (end + Granules.BYTES - 1) / Granules.BYTES * Granules.BYTES;
    int oldEnd = Math.min(granulesEnd, base.chunkBytes());
    MemorySegment old = buffer.asSlice(0, oldEnd - from);
    try {
      blocks.file(block).read(block.position() + from, old);
    } catch (IOException e) {
      throw new BadBlockException(base, from / Granules.BYTES, e);
    }
    for (int granule = from / Granules.BYTES; granule * Granules.BYTES < oldEnd; granule++) {
      int granuleFrom = granule * Granules.BYTES;
      int granuleEnd = Math.min(granuleFrom + Granules.BYTES, oldEnd);
      boolean kept = image.needsOld(granuleFrom, granuleEnd);
      MemorySegment bytes = old.asSlice(granuleFrom - from, granuleEnd - granuleFrom);
      if (kept && Granules.crc(bytes) != base.granules()[granule]) {
        throw new BadBlockException(base, granule);
      }
    }
  }

  /** Writes the whole chunk as it is; the caller has verified it. Not flushed. */
  BlockRef writeCopy(MemorySegment chunk, VersionRecord of) throws IOException {
    var image = new Image(of.chunkBytes(), 0, 0, chunk, of.granules());
    BlockRef block = blocks.allocate(of.chunkBytes());
    try {
      writeTo(block, null, image, false);
      return block;
    } catch (IOException | RuntimeException e) {
      blocks.release(block);
      throw e;
    }
  }
}
