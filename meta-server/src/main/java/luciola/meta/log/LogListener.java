package luciola.meta.log;

import luciola.meta.cluster.ClusterState;

/** What the log tells the server around it. Called on the log's threads: must not block. */
public interface LogListener {
  /** This member leads and has applied everything before. */
  void leading(ClusterState state);

  /** This member does not lead, or no longer. */
  void following();

  /** The durable state of the cluster has changed. */
  void clusterChanged(ClusterState state);

  /** Is to run this, which answers several that wait, one after the other. */
  void answering(Runnable answers);

  /** The state machine cannot go on: the process has to stop. */
  void broken(Throwable cause);
}
