package luciola.meta.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.ConfirmReply;
import luciola.grpc.v1.ConfirmRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.IdentifyReply;
import luciola.grpc.v1.IdentifyRequest;
import luciola.grpc.v1.ReadIndexReply;
import luciola.grpc.v1.ReadIndexRequest;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.protocol.error.ErrorCode;

/** The cluster manager's calls. Routing is answered by every member, all else by the leader. */
final class ClusterService extends ClusterGrpc.ClusterImplBase {
  private final MetaServerConfig config;
  private final MetaLog log;
  private final ClusterDriver driver;
  private final RoutingWatchers watchers;
  private final TicketDesk tickets;

  ClusterService(
      MetaServerConfig config,
      MetaLog log,
      ClusterDriver driver,
      RoutingWatchers watchers,
      TicketDesk tickets) {
    this.config = config;
    this.log = log;
    this.driver = driver;
    this.watchers = watchers;
    this.tickets = tickets;
  }

  private String leader() {
    return log.leader().map(Member::serviceAddress).orElse("");
  }

  @Override
  public void identify(IdentifyRequest request, StreamObserver<IdentifyReply> observer) {
    observer.onNext(
        IdentifyReply.newBuilder()
            .setClusterId(log.cluster().clusterId())
            .setLeader(leader())
            .addAllMembers(members(log))
            .build());
    observer.onCompleted();
  }

  @Override
  public StreamObserver<ConfirmRequest> confirm(StreamObserver<ConfirmReply> replies) {
    return new Asked<>(
        replies,
        (request, answers) ->
            answers.onNext(
                ConfirmReply.newBuilder()
                    .setRound(request.getRound())
                    .setTerm(log.countedTerm())
                    .setLogIndex(log.flushedIndex())
                    .build()));
  }

  @Override
  public StreamObserver<ReadIndexRequest> readIndex(StreamObserver<ReadIndexReply> replies) {
    return new Asked<>(
        replies,
        (request, answers) -> {
          var _ =
              log.readPoint()
                  .handle((point, failure) -> {
                    ReadIndexReply.Builder reply =
                        ReadIndexReply.newBuilder().setRound(request.getRound());
                    answers.onNext(
                        failure == null
                            ? reply.setAppliedIndex(point.index()).setTerm(point.term()).build()
                            : reply.setCode(Answers.fault(failure).code().number()).build());
                    return true;
                  });
        });
  }

  static List<String> members(MetaLog log) {
    return log.members().stream().map(Member::serviceAddress).toList();
  }

  @Override
  public void register(RegisterRequest request, StreamObserver<RegisterReply> observer) {
    if (request.getSecured() != config.security().required()) {
      observer.onNext(
          RegisterReply.newBuilder()
              .setCode(ErrorCode.INVALID_ARGUMENT.number())
              .setMessage(
                  "register: security.required must be the same on all servers: here="
                      + config.security().required()
                      + " storage-server="
                      + request.getSecured())
              .build());
      observer.onCompleted();
      return;
    }
    Answers.send(
        driver
            .ask(new ClusterEvent.Register(request))
            .thenApply(reply ->
                reply.getRegister().toBuilder().setTimings(config.timings().toMessage()).build()),
        observer,
        fault ->
            RegisterReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void heartbeat(HeartbeatRequest request, StreamObserver<HeartbeatReply> observer) {
    Answers.send(
        driver
            .heartbeat(request)
            .thenApply(reply -> reply.toBuilder().addAllDataKeys(tickets.keys()).build()),
        observer,
        fault ->
            HeartbeatReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  private RoutingUpdate wrongCluster(RoutingRequest request) {
    return RoutingUpdate.newBuilder()
        .setCode(ErrorCode.WRONG_CLUSTER.number())
        .setMessage(
            "routing: this is another cluster: asked="
                + Long.toHexString(request.getClusterId())
                + " here="
                + Long.toHexString(log.cluster().clusterId()))
        .setClusterId(log.cluster().clusterId())
        .build();
  }

  private boolean isOurs(RoutingRequest request) {
    return request.getClusterId() == 0 || request.getClusterId() == log.cluster().clusterId();
  }

  @Override
  public void getRouting(RoutingRequest request, StreamObserver<RoutingUpdate> observer) {
    observer.onNext(
        isOurs(request)
            ? log.cluster().updateSince(request.getKnownVersion())
            : wrongCluster(request));
    observer.onCompleted();
  }

  @Override
  public void watchRouting(RoutingRequest request, StreamObserver<RoutingUpdate> observer) {
    if (!isOurs(request)) {
      observer.onNext(wrongCluster(request));
      observer.onCompleted();
      return;
    }
    watchers.add(
        (ServerCallStreamObserver<RoutingUpdate>) observer,
        request.getKnownVersion(),
        log::cluster);
  }
}
