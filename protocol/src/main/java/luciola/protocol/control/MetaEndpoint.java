package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.IdentifyReply;
import luciola.grpc.v1.IdentifyRequest;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import org.jspecify.annotations.Nullable;

/** One meta-server: its channel and the stream of namespace calls on it. */
final class MetaEndpoint {
  /** What checks the answer of a server before it is used. */
  interface Check {
    void accept(String address, ClusterId cluster);
  }

  private static final int MESSAGE_BYTES_MAX = 64 << 20;

  private final String address;
  private final ManagedChannel channel;
  private final ReentrantLock opening = new ReentrantLock();
  private volatile @Nullable NamespaceStream stream;

  MetaEndpoint(String address, ClientAccess access) {
    HostPort at = HostPort.parse(address);
    this.address = address;
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(at.host(), at.port())
            .directExecutor()
            .disableRetry()
            .maxInboundMessageSize(MESSAGE_BYTES_MAX);
    ControlLoop.use(builder);
    ControlTls.connect(builder, access);
    access
        .credential()
        .ifPresent(credential -> builder.intercept(CredentialHeader.showing(credential)));
    this.channel = builder.build();
  }

  String address() {
    return address;
  }

  /** The channel, ready to connect at once even if it failed a moment ago. */
  ManagedChannel channel() {
    channel.resetConnectBackoff();
    return channel;
  }

  /**
   * Asks which cluster this is.
   *
   * @throws LuciolaException NOT_LEADER if it does not know yet: it is one of several that have no
   *     leader so far, or it has only just started
   */
  ClusterId identify(long timeoutNanos) {
    IdentifyReply reply;
    try {
      reply =
          ClusterGrpc.newBlockingStub(channel())
              .withDeadlineAfter(timeoutNanos, TimeUnit.NANOSECONDS)
              .identify(IdentifyRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      throw fault("identify", e);
    }
    if (reply.getClusterId() == 0) {
      throw new LuciolaException(
          ErrorCode.NOT_LEADER, "identify: meta=" + address + " knows of no cluster yet");
    }
    return new ClusterId(reply.getClusterId());
  }

  /** The stream of namespace calls, opened after a check of the cluster if there is none. */
  NamespaceStream stream(long timeoutNanos, Check check) {
    NamespaceStream open = stream;
    if (open != null && open.usable()) {
      return open;
    }
    opening.lock();
    try {
      open = stream;
      if (open == null || !open.usable()) {
        check.accept(address, identify(timeoutNanos));
        open = NamespaceStream.open(address, channel, ControlLoop.executor());
        stream = open;
      }
      return open;
    } finally {
      opening.unlock();
    }
  }

  LuciolaException fault(String operation, StatusRuntimeException e) {
    return new LuciolaException(
        StatusTable.code(e.getStatus()),
        operation + ": meta=" + address + " status=" + e.getStatus(),
        e);
  }

  void close() {
    NamespaceStream open = stream;
    if (open != null) {
      open.close("connection closed");
    }
    channel.shutdownNow();
  }
}
