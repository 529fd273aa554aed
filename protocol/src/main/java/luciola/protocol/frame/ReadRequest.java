package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;

/**
 * Reads ranges of chunks, of any chains whose targets the server has.
 *
 * @param ranges 1 … {@link #RANGES_MAX}, of {@link #BYTES_MAX} bytes together
 */
public record ReadRequest(List<Range> ranges) implements Request {
  public static final int RANGES_MAX = 4096;

  /** Most bytes that all ranges together may ask for. */
  public static final int BYTES_MAX = FramePrefix.PAYLOAD_BYTES_MAX;

  public ReadRequest {
    ranges = List.copyOf(ranges);
    if (ranges.isEmpty() || ranges.size() > RANGES_MAX) {
      throw new IllegalArgumentException("bad number of ranges: ranges=" + ranges.size());
    }
    long bytes = ranges.stream().mapToLong(Range::length).sum();
    if (bytes > BYTES_MAX) {
      throw new IllegalArgumentException("too much in one request: bytes=" + bytes);
    }
  }

  /**
   * One range.
   *
   * @param chainVersion version of the chain by which the caller chose this target
   * @param target the replica that is to answer
   * @param offset first byte in the chunk, 0 or more
   * @param length bytes, 1 or more
   */
  public record Range(
      ChainId chain,
      ChainVersion chainVersion,
      TargetId target,
      ChunkId chunk,
      int offset,
      int length) {
    public Range {
      if (offset < 0 || length < 1 || (long) offset + length > FileLayout.CHUNK_BYTES_MAX) {
        throw new IllegalArgumentException("bad range: offset=" + offset + " length=" + length);
      }
    }
  }
}
