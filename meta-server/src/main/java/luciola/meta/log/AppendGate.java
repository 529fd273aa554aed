package luciola.meta.log;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto.AppendResult;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends to a member's log, one at a time, and what is acknowledged of them is on its disk. A
 * member that cannot be counted on, {@link Recovery}, takes none, or those of one leader, and does
 * not vote.
 *
 * <p>Ratis looks who leads, and then appends, without holding on to what it saw: an append of the
 * leader of before must not come between, nor a vote for the next one. Two streams that append at
 * once it ends with an exception.
 *
 * <p>Entries that are sent again by another stream it acknowledges as soon as it knows them, which
 * may be before they are written. Such a reply waits here; one that would wait too long is not
 * sent, and the leader asks again.
 */
final class AppendGate implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(AppendGate.class);
  private static final String APPEND =
      RaftServerProtocolServiceGrpc.getAppendEntriesMethod().getFullMethodName();
  private static final String VOTE =
      RaftServerProtocolServiceGrpc.getRequestVoteMethod().getFullMethodName();
  private static final String SNAPSHOT =
      RaftServerProtocolServiceGrpc.getInstallSnapshotMethod().getFullMethodName();
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long LOOK_NANOS = 200_000;
  private static final Status NOT_COUNTED =
      Status.UNAVAILABLE.withDescription("this member has lost its log and is not to be counted");

  private final Recovery recovery;

  /** Held while a member takes entries, or votes. */
  private final ReentrantLock turn = new ReentrantLock();

  private volatile LongSupplier flushedIndex = () -> -1;

  AppendGate(Recovery recovery) {
    this.recovery = recovery;
  }

  /** Says where to look how far the log is flushed; until then nothing is acknowledged. */
  void watch(LongSupplier flushed) {
    flushedIndex = flushed;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    String method = call.getMethodDescriptor().getFullMethodName();
    if (method.equals(VOTE)) {
      if (!recovery.isDone()) {
        return refuse(call);
      }
      return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
        // The vote is cast when the request is complete.
        @Override
        public void onHalfClose() {
          inTurn(super::onHalfClose);
        }
      };
    }
    if (!method.equals(APPEND) && !method.equals(SNAPSHOT)) {
      return next.startCall(call, headers);
    }
    if (!recovery.takesAny()) {
      return refuse(call);
    }
    var replies = new Replies<>(call);
    return new SimpleForwardingServerCallListener<>(next.startCall(replies, headers)) {
      @Override
      public void onMessage(Q message) {
        if (!recovery.takes(leaderTerm(message))) {
          replies.refuse();
        } else if (message instanceof AppendEntriesRequestProto request
            && request.getEntriesCount() > 0) {
          inTurn(() -> super.onMessage(message));
        } else {
          super.onMessage(message);
        }
      }
    };
  }

  private static <Q, R> ServerCall.Listener<Q> refuse(ServerCall<Q, R> call) {
    call.close(NOT_COUNTED, new Metadata());
    return new ServerCall.Listener<>() {};
  }

  private static long leaderTerm(Object message) {
    return switch (message) {
      case AppendEntriesRequestProto append -> append.getLeaderTerm();
      case InstallSnapshotRequestProto snapshot -> snapshot.getLeaderTerm();
      default -> 0;
    };
  }

  private void inTurn(Runnable step) {
    turn.lock();
    try {
      step.run();
    } finally {
      turn.unlock();
    }
  }

  /** What goes back to a leader, up to where it is refused. */
  private final class Replies<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private boolean refused;

    Replies(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public void sendMessage(R message) {
      if (message instanceof AppendEntriesReplyProto reply && !isTrue(reply)) {
        return;
      }
      synchronized (this) {
        if (!refused) {
          super.sendMessage(message);
        }
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!refused) {
        super.close(status, trailers);
      }
    }

    synchronized void refuse() {
      if (!refused) {
        super.close(NOT_COUNTED, new Metadata());
        refused = true;
      }
    }
  }

  /** Waits until what it acknowledges is on the disk. */
  private boolean isTrue(AppendEntriesReplyProto reply) {
    if (reply.getResult() != AppendResult.SUCCESS || reply.getIsHearbeat()) {
      return true;
    }
    long deadline = System.nanoTime() + WAIT_NANOS;
    while (flushedIndex.getAsLong() < reply.getMatchIndex()) {
      if (System.nanoTime() - deadline > 0) {
        LOG.warn("not acknowledged, as it is not written: index={}", reply.getMatchIndex());
        return false;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return true;
  }
}
