package luciola.protocol.routing;

/** State of a target as its own server reports it. */
public enum LocalState {
  /** Complete: holds every acknowledged write of its chain. */
  UP_TO_DATE,
  /** Alive, but may miss writes. */
  ONLINE,
  /** Cannot serve, or has not found out yet what it missed. */
  OFFLINE
}
