package luciola.storage.chain;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.LocalState;

/** One target's place in one chain. */
public final class ChainReplica {
  private final ChainId chain;
  private final TargetId self;
  private final TargetLocalState local = new TargetLocalState();

  /** A replica at the beginning of a life: OFFLINE, without lease, knowing no chain version. */
  public ChainReplica(ChainId chain, TargetId self, ChainLimits limits, ChunkView view) {
    this.chain = chain;
    this.self = self;
  }

  /** What follows from an event. One thread calls this, with a clock that never goes back. */
  public List<ChainEffect> step(ChainEvent event, long nowNanos) {
    if (nowNanos < 0) {
      throw new IllegalArgumentException(chain + " " + self + " " + event);
    }
    return List.of();
  }

  /** What to report of this target in heartbeats. */
  public LocalState localState() {
    return local.state();
  }

  /** The chain version this replica acts by; 0 if it knows none. */
  public int chainVersion() {
    return 0;
  }
}
