package luciola.cli.soak.fault;

/** How a server is cut off. What is cut is dropped, nobody is told. */
public enum Cut {
  /** From everybody. */
  ALL,
  /** From the meta-servers, both ways: it can be read and written, but is granted no lease. */
  MANAGER,
  /** From the other servers of its kind, both ways. */
  PEERS,
  /** Nothing arrives at it; what it sends arrives. */
  DEAF,
  /** What it sends does not arrive; it hears everything. */
  MUTE,
  /** The meta-servers hear it, but their answers do not arrive. */
  MANAGER_UNHEARD
}
