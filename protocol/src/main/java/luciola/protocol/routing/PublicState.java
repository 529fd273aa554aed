package luciola.protocol.routing;

/** State of a chain member as the cluster manager has decided it. In chain order. */
public enum PublicState {
  /** Holds everything acknowledged; serves reads and takes part in writes. */
  SERVING,
  /** Held everything acknowledged when the chain stopped; any one of these can bring it back. */
  LAST_SERVING,
  /** Receives new writes and is being filled by its predecessor. */
  SYNCING,
  /** Alive, waits for its turn to sync. */
  WAITING,
  /** Not there. */
  OFFLINE;

  /** Whether writes of the chain travel through a member in this state. */
  public boolean receivesWrites() {
    return this == SERVING || this == SYNCING;
  }
}
