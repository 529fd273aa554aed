package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/**
 * Answers {@link ReadRequest}: one result for each range, in order. The payload is the results'
 * bytes in order without gaps.
 */
public record ReadReply(ErrorCode code, List<Result> results) implements Reply {
  public ReadReply {
    results = List.copyOf(results);
  }

  /**
   * One range's outcome.
   *
   * @param code OK; CHUNK_NOT_FOUND where the chunk does not exist (a hole); else an error of this
   *     range
   * @param version version of the chunk that was read
   * @param chunkBytes length of that version of the chunk
   * @param dataBytes bytes of payload: less than asked where the chunk ends before the range does
   * @param checksums of the pieces of the bytes, see {@link Granules}
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(
      ErrorCode code, ChunkVersion version, int chunkBytes, int dataBytes, int[] checksums) {}
}
