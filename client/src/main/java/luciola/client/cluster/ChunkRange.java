package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import luciola.protocol.frame.Granules;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;

/** A range within one chunk and where its bytes go. */
record ChunkRange(ChainId chain, ChunkId chunk, int offset, MemorySegment into) {
  int bytes() {
    return (int) into.byteSize();
  }

  /**
   * A range of a file as ranges of its chunks, none longer than {@code bytesMax} plus a granule,
   * cut where granules meet, so that the stored checksums serve for all but the ends.
   */
  static List<ChunkRange> of(FileChunks file, long offset, MemorySegment into, int bytesMax) {
    List<ChunkRange> ranges = new ArrayList<>();
    long done = 0;
    while (done < into.byteSize()) {
      int index = file.layout().chunkIndex(offset + done);
      int inChunk = file.layout().offsetInChunk(offset + done);
      long left = Math.min(into.byteSize() - done, file.layout().chunkBytes() - inChunk);
      long step = left <= bytesMax ? left : granuleEnd(inChunk, bytesMax) - inChunk;
      ranges.add(
          new ChunkRange(
              file.chainOf(index), file.chunk(index), inChunk, into.asSlice(done, step)));
      done += step;
    }
    return ranges;
  }

  /** The last granule boundary at most {@code bytesMax} after {@code offset}, but past it. */
  private static long granuleEnd(int offset, int bytesMax) {
    long end = ((long) offset + bytesMax) / Granules.BYTES * Granules.BYTES;
    return end > offset ? end : (long) offset + bytesMax;
  }
}
