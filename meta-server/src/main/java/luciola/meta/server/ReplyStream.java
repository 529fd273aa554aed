package luciola.meta.server;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;

/**
 * The replies to one client's stream: those that are ready together travel together. Requests are
 * let in until too many are under way. Any thread.
 */
final class ReplyStream {
  /** A message closes with the reply that exceeds this. */
  private static final int MESSAGE_BYTES_FULL = 1 << 20;

  private final ServerCallStreamObserver<NamespaceReplies> out;
  private final int underWayMax;
  private final NamespaceReplies.Builder ready = NamespaceReplies.newBuilder();
  private int readyBytes;
  private int underWay;
  private boolean held;
  private boolean ended;
  private boolean closed;

  /**
   * Takes over a stream and lets its first message in.
   *
   * @param underWayMax requests; a message that is let in may exceed it
   */
  ReplyStream(ServerCallStreamObserver<NamespaceReplies> out, int underWayMax) {
    this.out = out;
    this.underWayMax = underWayMax;
    out.disableAutoRequest();
    out.setOnCancelHandler(() -> {});
    out.request(1);
  }

  /** A message with so many requests has come. */
  synchronized void began(int requests) {
    underWay += requests;
    held = underWay >= underWayMax;
    if (!held) {
      out.request(1);
    }
  }

  /** Ends the stream: what came is no message of a client of ours. */
  synchronized void refuse(String why) {
    if (!closed && !out.isCancelled()) {
      closed = true;
      out.onError(Status.INVALID_ARGUMENT.withDescription(why).asRuntimeException());
    }
  }

  /** No more requests will come. */
  synchronized void ended() {
    ended = true;
    completeIfDone();
  }

  /** Adds a reply, to be sent now or with what else is just being answered. */
  void add(NamespaceReply reply) {
    boolean full;
    synchronized (this) {
      underWay--;
      ready.addReplies(reply);
      readyBytes += reply.getSerializedSize();
      full = readyBytes >= MESSAGE_BYTES_FULL;
    }
    if (full || !Together.leaves(this)) {
      flush();
    }
  }

  /** Sends what is ready. */
  synchronized void flush() {
    if (ready.getRepliesCount() > 0) {
      if (!closed && !out.isCancelled()) {
        out.onNext(ready.build());
      }
      ready.clear();
      readyBytes = 0;
    }
    if (held && !closed && underWay < underWayMax) {
      held = false;
      out.request(1);
    }
    completeIfDone();
  }

  private void completeIfDone() {
    boolean done = ended && underWay == 0 && ready.getRepliesCount() == 0;
    if (done && !closed && !out.isCancelled()) {
      closed = true;
      out.onCompleted();
    }
  }
}
