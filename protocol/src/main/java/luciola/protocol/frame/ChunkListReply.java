package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;

/**
 * Answers {@link ChunkListRequest}: chunks that exist, by index; pending updates count as done.
 *
 * @param more whether there are chunks after the last of these
 */
public record ChunkListReply(ErrorCode code, List<Item> chunks, boolean more) implements Reply {
  public ChunkListReply {
    chunks = List.copyOf(chunks);
  }

  /** One chunk: its index in the file and its length. */
  public record Item(int index, int chunkBytes) {}
}
