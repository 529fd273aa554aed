package luciola.meta.server;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.ConfirmReply;
import luciola.grpc.v1.ConfirmRequest;
import luciola.grpc.v1.ReadIndexReply;
import luciola.grpc.v1.ReadIndexRequest;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.control.ControlTls;
import luciola.protocol.control.CredentialHeader;
import luciola.protocol.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/** Questions to one other meta-server. They may be lost; whoever asks does so again. Any thread. */
final class PeerLink implements AutoCloseable {
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Questions without an answer: more are not sent to one that is held or cut off. */
  private static final int UNANSWERED_MAX = 64;

  private final ManagedChannel channel;
  private final Questions<ConfirmRequest, ConfirmReply> terms;
  private final Questions<ReadIndexRequest, ReadIndexReply> indexes;

  /** Hears the answers; on the network's threads. */
  interface Listener {
    /**
     * It has answered to {@link PeerLink#confirm}.
     *
     * @param index the last entry on the member's disk; -1 if it has none
     */
    void confirmed(long round, long term, long index);

    /**
     * It has answered to {@link PeerLink#readIndex}.
     *
     * @param index what a read has to see
     * @param term that it led all the time; 0 if not
     */
    void indexed(long round, long index, long term);
  }

  PeerLink(String host, int port, ClientAccess access, Listener listener) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(host, port).directExecutor().disableRetry();
    ControlTls.connect(builder, access);
    access
        .credential()
        .ifPresent(credential -> builder.intercept(CredentialHeader.showing(credential)));
    this.channel = builder.build();
    this.terms =
        new Questions<>(
            replies -> stub().confirm(replies),
            reply -> listener.confirmed(reply.getRound(), reply.getTerm(), reply.getLogIndex()));
    this.indexes =
        new Questions<>(
            replies -> stub().readIndex(replies),
            reply -> {
              if (reply.getCode() == ErrorCode.OK.number()) {
                listener.indexed(reply.getRound(), reply.getAppliedIndex(), reply.getTerm());
              }
            });
  }

  private ClusterGrpc.ClusterStub stub() {
    channel.resetConnectBackoff();
    return ClusterGrpc.newStub(channel);
  }

  void confirm(long round) {
    terms.ask(ConfirmRequest.newBuilder().setRound(round).build());
  }

  void readIndex(long round) {
    indexes.ask(ReadIndexRequest.newBuilder().setRound(round).build());
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** A stream of questions, opened again after it broke. */
  private static final class Questions<Q, A> {
    private final Function<StreamObserver<A>, StreamObserver<Q>> open;
    private final Consumer<A> answered;
    private @Nullable StreamObserver<Q> stream;
    private long opened;
    private long broken;
    private int unanswered;
    private long brokeNanos = System.nanoTime() - RETRY_NANOS;

    Questions(Function<StreamObserver<A>, StreamObserver<Q>> open, Consumer<A> answered) {
      this.open = open;
      this.answered = answered;
    }

    synchronized void ask(Q question) {
      StreamObserver<Q> out = stream;
      if (out == null) {
        if (System.nanoTime() - brokeNanos < RETRY_NANOS) {
          return;
        }
        opened++;
        unanswered = 0;
        out = open.apply(new Answers(opened));
        if (broken == opened) {
          return; // while it was being opened, on this thread: nobody is there
        }
        stream = out;
      }
      if (unanswered < UNANSWERED_MAX) {
        unanswered++;
        try {
          out.onNext(question);
        } catch (IllegalStateException gone) {
          broke(opened);
        }
      }
    }

    private synchronized void came(long stream) {
      if (stream == opened) {
        unanswered--;
      }
    }

    private synchronized void broke(long number) {
      if (number == opened) {
        broken = number;
        stream = null;
        brokeNanos = System.nanoTime();
      }
    }

    private final class Answers implements StreamObserver<A> {
      private final long number;

      Answers(long number) {
        this.number = number;
      }

      @Override
      public void onNext(A answer) {
        came(number);
        answered.accept(answer);
      }

      @Override
      public void onError(Throwable failure) {
        broke(number);
      }

      @Override
      public void onCompleted() {
        broke(number);
      }
    }
  }
}
