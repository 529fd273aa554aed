package luciola.protocol.frame;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;

/** The predecessor hands its dedup records to a syncing replica, a page at a time. */
public record DedupRequest(
    ChainId chain, ChainVersion chainVersion, TargetId from, TargetId to, List<DedupRecord> records)
    implements Request {
  public DedupRequest {
    records = List.copyOf(records);
  }
}
