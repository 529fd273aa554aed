package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.IdentifyReply;
import luciola.grpc.v1.IdentifyRequest;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import org.jspecify.annotations.Nullable;

/**
 * One meta-server: its channel and the stream of namespace calls on it; and a second connection
 * with a stream of its own while the first has many calls under way, because a server handles what
 * comes by one connection on one thread.
 */
final class MetaEndpoint {
  /** What checks the answer of a server before it is used. */
  interface Check {
    void accept(String address, ClusterId cluster);
  }

  private static final int MESSAGE_BYTES_MAX = 64 << 20;

  /** Calls under way from which on the second connection is used. */
  private static final int MANY = 32;

  private final String address;
  private final ManagedChannel channel;
  private final ManagedChannel secondChannel;
  private final AtomicReference<@Nullable CompletableFuture<NamespaceStream>> opening =
      new AtomicReference<>();
  private final ReentrantLock openingSecond = new ReentrantLock();
  private volatile @Nullable NamespaceStream stream;
  private volatile @Nullable NamespaceStream secondStream;

  MetaEndpoint(String address, ClientAccess access) {
    HostPort at = HostPort.parse(address);
    this.address = address;
    this.channel = channel(at, access);
    this.secondChannel = channel(at, access);
  }

  private static ManagedChannel channel(HostPort at, ClientAccess access) {
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
    return builder.build();
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

  /**
   * Asks which cluster this is and who leads it, without waiting: {@code heard} runs on the control
   * loop if an answer comes in time.
   */
  void ask(long timeoutNanos, Consumer<IdentifyReply> heard) {
    ClusterGrpc.newStub(channel())
        .withDeadlineAfter(timeoutNanos, TimeUnit.NANOSECONDS)
        .identify(IdentifyRequest.getDefaultInstance(), new Answer(heard));
  }

  private record Answer(Consumer<IdentifyReply> heard) implements StreamObserver<IdentifyReply> {
    @Override
    public void onNext(IdentifyReply reply) {
      heard.accept(reply);
    }

    @Override
    public void onError(Throwable silent) {
      // It says nothing of who leads.
    }

    @Override
    public void onCompleted() {}
  }

  /**
   * A stream of namespace calls, opened after a check of the cluster if there is none.
   *
   * @param ordered whether what is sent must not overtake, nor be overtaken by, other ordered ones
   */
  NamespaceStream stream(long timeoutNanos, Check check, boolean ordered) {
    NamespaceStream open = stream;
    if (open == null || !open.usable()) {
      return opened(timeoutNanos, check);
    }
    if (ordered || open.underWay() < MANY) {
      return open;
    }
    NamespaceStream second = secondStream;
    if (second == null || !second.usable()) {
      second = openedSecond();
    }
    return second.underWay() < open.underWay() ? second : open;
  }

  /** Whether there is a stream, so that {@link #stream} does not block. */
  boolean connected() {
    NamespaceStream open = stream;
    return open != null && open.usable();
  }

  /** Whoever comes while one opens it waits for that one, for its own time, and gets the same. */
  private NamespaceStream opened(long timeoutNanos, Check check) {
    var own = new CompletableFuture<NamespaceStream>();
    CompletableFuture<NamespaceStream> others = opening.compareAndExchange(null, own);
    if (others != null) {
      return await(others, timeoutNanos);
    }
    try {
      NamespaceStream open = stream;
      if (open == null || !open.usable()) {
        check.accept(address, identify(timeoutNanos));
        open = NamespaceStream.open(address, channel, ControlLoop.executor());
        stream = open;
      }
      own.complete(open);
      return open;
    } catch (RuntimeException e) {
      own.completeExceptionally(e);
      throw e;
    } finally {
      opening.set(null);
    }
  }

  private NamespaceStream await(CompletableFuture<NamespaceStream> others, long timeoutNanos) {
    try {
      return others.get(timeoutNanos, TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new LuciolaException(
          ErrorCode.TIMED_OUT, "identify: meta=" + address + " attemptNanos=" + timeoutNanos, e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LuciolaException fault
          ? fault
          : new LuciolaException(ErrorCode.INTERNAL, "identify: meta=" + address, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LuciolaException(ErrorCode.CANCELLED, "identify: interrupted", e);
    }
  }

  private NamespaceStream openedSecond() {
    openingSecond.lock();
    try {
      NamespaceStream open = secondStream;
      if (open == null || !open.usable()) {
        open = NamespaceStream.open(address, secondChannel, ControlLoop.executor());
        secondStream = open;
      }
      return open;
    } finally {
      openingSecond.unlock();
    }
  }

  LuciolaException fault(String operation, StatusRuntimeException e) {
    return new LuciolaException(
        StatusTable.code(e.getStatus()),
        operation + ": meta=" + address + " status=" + e.getStatus(),
        e);
  }

  void close() {
    for (NamespaceStream open : new NamespaceStream[] {stream, secondStream}) {
      if (open != null) {
        open.close("connection closed");
      }
    }
    channel.shutdownNow();
    secondChannel.shutdownNow();
  }
}
