package luciola.meta.cluster;

import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.RegisterRequest;

/** What a {@link ClusterManager} is told. */
public sealed interface ClusterEvent {
  /** This member leads now and has applied everything that was decided before. */
  record BecameLeader(ClusterState state) implements ClusterEvent {}

  /** This member no longer leads. */
  record LostLeadership() implements ClusterEvent {}

  /** The log changed the durable state. */
  record StateChanged(ClusterState state) implements ClusterEvent {}

  /**
   * A server reports. Answered by exactly one {@link ClusterEffect.AnswerHeartbeat}. The shell has
   * made sure that this member still led after the heartbeat arrived.
   */
  record Heartbeat(HeartbeatRequest request) implements ClusterEvent {}

  /** A server starts; answered by one proposal or refusal. */
  record Register(RegisterRequest request) implements ClusterEvent {}

  /**
   * An operator wants chains and a table; answered by one proposal or refusal. Without a layout in
   * the request a plain one is made.
   */
  record CreateTable(CreateTableRequest request) implements ClusterEvent {}

  /**
   * An operator wants one or more chains, laid out already; answered by one proposal or refusal.
   */
  record CreateChains(AddChains chains) implements ClusterEvent {}

  /** An operator wants something else; answered by one proposal or refusal. */
  record Operate(Operation operation) implements ClusterEvent {}

  /** Time has passed; to be sent at least every half heartbeat. */
  record Tick() implements ClusterEvent {}
}
