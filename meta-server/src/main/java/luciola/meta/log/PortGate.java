package luciola.meta.log;

import java.util.Set;
import org.apache.ratis.proto.grpc.AdminProtocolServiceGrpc;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;

/**
 * What the raft port answers at all: what members ask of each other, and nothing of what Ratis
 * offers to clients besides. Commands are submitted in the leader's own process, never by this
 * port; a member that is alone has nobody to answer to.
 */
final class PortGate implements ServerInterceptor {
  private static final Set<String> OF_MEMBERS =
      Set.of(
          RaftServerProtocolServiceGrpc.getRequestVoteMethod().getFullMethodName(),
          RaftServerProtocolServiceGrpc.getStartLeaderElectionMethod().getFullMethodName(),
          RaftServerProtocolServiceGrpc.getAppendEntriesMethod().getFullMethodName(),
          RaftServerProtocolServiceGrpc.getInstallSnapshotMethod().getFullMethodName(),
          AdminProtocolServiceGrpc.getTransferLeadershipMethod().getFullMethodName());

  private final Set<String> answered;

  PortGate(boolean alone) {
    this.answered = alone ? Set.of() : OF_MEMBERS;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    MethodDescriptor<Q, R> method = call.getMethodDescriptor();
    if (answered.contains(method.getFullMethodName())) {
      return next.startCall(call, headers);
    }
    call.close(
        Status.PERMISSION_DENIED.withDescription(
            "not answered by this port: call=" + method.getFullMethodName()),
        new Metadata());
    return new ServerCall.Listener<>() {};
  }
}
