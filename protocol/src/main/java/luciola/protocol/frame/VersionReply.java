package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/** Answers {@link VersionRequest}: one answer for each chunk, in order; none after a failure. */
public record VersionReply(ErrorCode code, int chainVersion, List<Answer> answers)
    implements Reply {
  public VersionReply {
    answers = List.copyOf(answers);
  }

  /**
   * Of one chunk.
   *
   * @param code OK, or CHUNK_BUSY while the head does not know yet itself
   * @param committed {@link ChunkVersion#NONE} where the chunk was never made
   */
  public record Answer(ErrorCode code, ChunkVersion committed) {}
}
