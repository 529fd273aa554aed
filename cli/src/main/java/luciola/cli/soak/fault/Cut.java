package luciola.cli.soak.fault;

/** How a storage-server is cut off. What is cut is dropped, nobody is told. */
public enum Cut {
  /** From everybody. */
  ALL,
  /** From the meta-server, both ways: it can be read and written, but is granted no lease. */
  MANAGER,
  /** From the other storage-servers, both ways. */
  PEERS,
  /** Nothing arrives at it; what it sends arrives. */
  DEAF,
  /** What it sends does not arrive; it hears everything. */
  MUTE,
  /** The meta-server hears it, but its answers do not arrive. */
  MANAGER_UNHEARD
}
