package luciola.meta.cluster;

import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.HeartbeatReply;

/** What a {@link ClusterManager} wants done. */
public sealed interface ClusterEffect {
  /** Put this into the log. A lost proposal is made again by the manager itself. */
  record ProposeChains(ChangeChains command) implements ClusterEffect {}

  /** Put this into the log and answer the operator with its outcome. */
  record ProposeTable(AddTable command) implements ClusterEffect {}

  /** The operator's wish cannot be met. */
  record RefuseTable(CreateTableReply reply) implements ClusterEffect {}

  /**
   * The answer to the heartbeat of this step; its lease, if any, counts from when the server SENT
   * the heartbeat.
   */
  record AnswerHeartbeat(HeartbeatReply reply) implements ClusterEffect {}
}
