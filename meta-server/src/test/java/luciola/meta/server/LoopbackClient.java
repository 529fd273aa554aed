package luciola.meta.server;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.AdminGrpc;
import luciola.grpc.v1.At;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;

/** A client of one meta-server over loopback. */
final class LoopbackClient implements AutoCloseable {
  final ManagedChannel channel;
  final NamespaceGrpc.NamespaceBlockingStub namespace;
  final ClusterGrpc.ClusterBlockingStub cluster;
  final AdminGrpc.AdminBlockingStub admin;
  private final long clientId;
  private long sequence;

  LoopbackClient(int port, long clientId) {
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    this.namespace = NamespaceGrpc.newBlockingStub(channel);
    this.cluster = ClusterGrpc.newBlockingStub(channel);
    this.admin = AdminGrpc.newBlockingStub(channel);
    this.clientId = clientId;
  }

  static At at(String path) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(path)).build();
  }

  /** The next request of this client. */
  NamespaceRequest.Builder request() {
    sequence++;
    return NamespaceRequest.newBuilder()
        .setClientId(clientId)
        .setSequence(sequence)
        .setAcknowledgedSequence(sequence - 1)
        .setIdentity(Identity.newBuilder().setUid(1000).setGid(1000));
  }

  NamespaceReply call(NamespaceRequest.Builder request) {
    return namespace.withDeadlineAfter(20, TimeUnit.SECONDS).call(request.build());
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
