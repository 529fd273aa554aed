package luciola.meta.access;

/** What a call is for. */
public enum CallKind {
  /** Names and files, routing, and the state of the cluster: any user. */
  USE,
  /** Registrations and heartbeats: servers. */
  SERVE,
  /** Whatever changes or checks the cluster, its users included: administrators. */
  OPERATE
}
