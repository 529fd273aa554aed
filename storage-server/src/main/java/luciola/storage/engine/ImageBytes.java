package luciola.storage.engine;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import luciola.protocol.frame.Granules;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.VersionRecord;
import org.jspecify.annotations.Nullable;

/**
 * Puts the bytes of an image together, piece by piece, out of the old version and the payload. Of
 * the old version only granules are read of which something is kept, and these are verified.
 *
 * <p>Used by one thread at a time; what it gives is there until it is asked again.
 */
final class ImageBytes {
  private final BlockStore blocks;
  private final MemorySegment buffer;

  /**
   * Makes one.
   *
   * @param buffer page-aligned, as long as the longest piece
   */
  ImageBytes(BlockStore blocks, MemorySegment buffer) {
    this.blocks = blocks;
    this.buffer = buffer;
  }

  /**
   * Bytes {@code [from, pageCeiling(end))} of the image, page-aligned in memory.
   *
   * @param from at the beginning of a granule
   * @throws BadBlockException if the base's bytes went bad
   */
  MemorySegment piece(@Nullable VersionRecord base, Image image, int from, int end)
      throws IOException {
    if (image.isPayload(from, end) && end % BlockClass.PAGE_BYTES == 0) {
      MemorySegment direct = image.payloadSlice(from, end);
      if (direct.isNative() && direct.address() % BlockClass.PAGE_BYTES == 0) {
        return direct;
      }
    }
    if (base != null) {
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

  /** Checksums of a piece's granules, those that are payload only as their sender gave them. */
  static void sum(Image image, MemorySegment piece, int from, int end, int[] granules) {
    for (int granule = from / Granules.BYTES; granule * Granules.BYTES < end; granule++) {
      int granuleFrom = granule * Granules.BYTES;
      int granuleEnd = Math.min(granuleFrom + Granules.BYTES, end);
      granules[granule] =
          image.isPayload(granuleFrom, granuleEnd)
              ? image.payloadChecksum(granule)
              : Granules.crc(piece.asSlice(granuleFrom - from, granuleEnd - granuleFrom));
    }
  }

  private void readOld(VersionRecord base, Image image, int from, int end) throws IOException {
    int granulesEnd = (end + Granules.BYTES - 1) / Granules.BYTES * Granules.BYTES;
    int oldEnd = Math.min(granulesEnd, base.chunkBytes());
    int at = from;
    while (at < oldEnd) {
      int wanted = at;
      while (wanted < oldEnd && needed(image, wanted, oldEnd)) {
        wanted = Math.min(wanted + Granules.BYTES, oldEnd);
      }
      if (wanted > at) {
        readOld(base, at, buffer.asSlice(at - from, wanted - at));
      }
      at = wanted + Granules.BYTES;
    }
  }

  private static boolean needed(Image image, int from, int oldEnd) {
    return image.needsOld(from, Math.min(from + Granules.BYTES, oldEnd));
  }

  /** Reads whole granules and verifies them. */
  private void readOld(VersionRecord base, int from, MemorySegment into) throws IOException {
    int end = from + Math.toIntExact(into.byteSize());
    for (VersionRecord.Extent each : base.extents(from, end)) {
      try {
        blocks
            .file(each.blockClass())
            .read(each.position(), into.asSlice(each.from() - from, each.bytes()));
      } catch (IOException e) {
        throw new BadBlockException(base, each.from() / Granules.BYTES, e);
      }
    }
    int granule = from / Granules.BYTES;
    for (int at = from; at < end; at += Granules.BYTES, granule++) {
      if (Granules.crc(into.asSlice(at - from, base.granuleBytes(granule)))
          != base.granules()[granule]) {
        throw new BadBlockException(base, granule);
      }
    }
  }
}
