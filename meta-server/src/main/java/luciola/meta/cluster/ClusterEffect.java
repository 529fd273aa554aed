package luciola.meta.cluster;

import luciola.grpc.v1.ChangeChains;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.HeartbeatReply;
import luciola.protocol.error.ErrorCode;

/** What a {@link ClusterManager} wants done. */
public sealed interface ClusterEffect {
  /** Put this into the log. A lost proposal is made again by the manager itself. */
  record ProposeChains(ChangeChains command) implements ClusterEffect {}

  /** Put this into the log, and answer whoever asked with its outcome, if anybody did. */
  record Propose(Command command) implements ClusterEffect {}

  /** What was asked for cannot be; nothing changes. */
  record Refuse(ErrorCode code, String message) implements ClusterEffect {}

  /**
   * The answer to the heartbeat of this step; its lease, if any, counts from when the server SENT
   * the heartbeat.
   */
  record AnswerHeartbeat(HeartbeatReply reply) implements ClusterEffect {}
}
