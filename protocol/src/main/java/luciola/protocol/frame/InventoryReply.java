package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.error.ErrorCode;

/** Answers {@link InventoryRequest}. */
public record InventoryReply(ErrorCode code, List<ChunkSummary> chunks, boolean more)
    implements Reply {
  public InventoryReply {
    chunks = List.copyOf(chunks);
  }
}
