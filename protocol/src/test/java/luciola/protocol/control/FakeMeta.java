package luciola.protocol.control;

import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.IdentifyReply;
import luciola.grpc.v1.IdentifyRequest;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.NamespaceRequests;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.error.ErrorCode;

/** A meta-server that answers as told. */
final class FakeMeta implements AutoCloseable {
  final List<NamespaceRequest> received = new CopyOnWriteArrayList<>();
  final List<StreamObserver<NamespaceReplies>> streams = new CopyOnWriteArrayList<>();
  final List<StreamObserver<RoutingUpdate>> watches = new CopyOnWriteArrayList<>();
  volatile UnaryOperator<NamespaceReply.Builder> answer = reply -> reply;

  /** Takes namespace calls and does not answer them. */
  volatile boolean mute;

  /** Answers nothing at all. */
  volatile boolean paused;

  volatile String leader = "";

  /** Who leads, as it tells who asks. */
  volatile String known = "";

  /** How often it was asked who it is. */
  final AtomicInteger asked = new AtomicInteger();

  volatile RoutingUpdate routing = RoutingUpdate.getDefaultInstance();

  private final long cluster;
  private final Server server;

  FakeMeta(long cluster) throws IOException {
    this(cluster, 0);
  }

  FakeMeta(long cluster, int port) throws IOException {
    this.cluster = cluster;
    this.server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .directExecutor()
            .addService(new FakeNamespace())
            .addService(new FakeCluster())
            .build()
            .start();
  }

  int port() {
    return server.getPort();
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  /** Sends every follower away to another server. */
  void follow(FakeMeta other) {
    leader = other.address();
  }

  /** Answers what it kept silent about, by its first stream. */
  void reply(NamespaceRequest request) {
    streams
        .getFirst()
        .onNext(
            NamespaceReplies.newBuilder()
                .addReplies(NamespaceReply.newBuilder().setSequence(request.getSequence()))
                .build());
  }

  void publish(RoutingUpdate update) {
    routing = update;
    watches.removeIf(watch -> !told(watch, update));
  }

  /** Whether the watch's client is still there; one that gave it up asks anew. */
  private static boolean told(StreamObserver<RoutingUpdate> watch, RoutingUpdate update) {
    try {
      watch.onNext(update);
      return true;
    } catch (StatusRuntimeException _) {
      return false;
    }
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private final class FakeNamespace extends NamespaceGrpc.NamespaceImplBase {
    @Override
    public StreamObserver<NamespaceRequests> calls(StreamObserver<NamespaceReplies> replies) {
      streams.add(replies);
      return new StreamObserver<>() {
        @Override
        public void onNext(NamespaceRequests message) {
          message.getRequestsList().forEach(this::take);
        }

        private void take(NamespaceRequest request) {
          // Before the test can see the request: it may end the silence then.
          boolean silent = mute || paused;
          received.add(request);
          if (silent) {
            return;
          }
          NamespaceReply.Builder reply =
              NamespaceReply.newBuilder().setSequence(request.getSequence());
          if (!leader.isEmpty()) {
            reply.setCode(ErrorCode.NOT_LEADER.number()).setLeader(leader);
          } else {
            reply = answer.apply(reply);
          }
          replies.onNext(NamespaceReplies.newBuilder().addReplies(reply).build());
        }

        @Override
        public void onError(Throwable error) {
          streams.remove(replies);
        }

        @Override
        public void onCompleted() {
          streams.remove(replies);
        }
      };
    }
  }

  private final class FakeCluster extends ClusterGrpc.ClusterImplBase {
    @Override
    public void identify(IdentifyRequest request, StreamObserver<IdentifyReply> replies) {
      asked.incrementAndGet();
      if (!paused) {
        replies.onNext(IdentifyReply.newBuilder().setClusterId(cluster).setLeader(known).build());
        replies.onCompleted();
      }
    }

    @Override
    public void getRouting(RoutingRequest request, StreamObserver<RoutingUpdate> replies) {
      if (!paused) {
        replies.onNext(routing);
        replies.onCompleted();
      }
    }

    @Override
    public void watchRouting(RoutingRequest request, StreamObserver<RoutingUpdate> replies) {
      watches.add(replies);
      replies.onNext(routing);
    }
  }
}
