package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.NamespaceRequests;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * One stream of calls to one meta-server. Callers leave their requests and wait; the event loop
 * takes what was left into one message, and completes the futures when replies come. A stream that
 * broke fails what waits and is not used again.
 */
final class NamespaceStream implements ClientResponseObserver<NamespaceRequests, NamespaceReplies> {
  private static final int MESSAGE_REQUESTS_MAX = 256;

  /** A message closes with the request that exceeds this; requests are below 1 MiB. */
  private static final int MESSAGE_BYTES_FULL = 512 << 10;

  private final String address;
  private final Executor loop;
  private final ConcurrentMap<Long, CompletableFuture<NamespaceReply>> waiting =
      new ConcurrentHashMap<>();
  private final Queue<NamespaceRequest> unsent = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean sending = new AtomicBoolean();

  private volatile @Nullable ClientCallStreamObserver<NamespaceRequests> requests;
  private volatile @Nullable LuciolaException broken;
  private volatile long lastReplyNanos = System.nanoTime();

  private NamespaceStream(String address, Executor loop) {
    this.address = address;
    this.loop = loop;
  }

  /**
   * Opens a stream.
   *
   * @param loop one thread, which soon does what it is given; best the channel's own
   */
  static NamespaceStream open(String address, ManagedChannel channel, Executor loop) {
    NamespaceStream stream = new NamespaceStream(address, loop);
    // The request side comes through beforeStart.
    var _ = NamespaceGrpc.newStub(channel).calls(stream);
    return stream;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<NamespaceRequests> stream) {
    requests = stream;
  }

  /** Sends a request; a second one with the same sequence shares the reply of the first. */
  CompletableFuture<NamespaceReply> send(NamespaceRequest request) {
    CompletableFuture<NamespaceReply> reply =
        waiting.computeIfAbsent(request.getSequence(), _ -> new CompletableFuture<>());
    unsent.add(request);
    // One that breaks after this look finds the reply among those that wait.
    LuciolaException failure = broken;
    if (failure != null) {
      reply.completeExceptionally(failure);
    } else if (sending.compareAndSet(false, true)) {
      loop.execute(this::sendAll);
    }
    return reply;
  }

  private void sendAll() {
    // Before looking: what comes after that is for the next time.
    sending.set(false);
    ClientCallStreamObserver<NamespaceRequests> out = requests;
    if (out == null || broken != null) {
      unsent.clear();
      return;
    }
    try {
      NamespaceRequests.Builder message = NamespaceRequests.newBuilder();
      int bytes = 0;
      NamespaceRequest request = unsent.poll();
      while (request != null) {
        message.addRequests(request);
        bytes += request.getSerializedSize();
        request = unsent.poll();
        if (request == null
            || message.getRequestsCount() >= MESSAGE_REQUESTS_MAX
            || bytes >= MESSAGE_BYTES_FULL) {
          out.onNext(message.build());
          message.clear();
          bytes = 0;
        }
      }
    } catch (RuntimeException e) {
      fail(
          new LuciolaException(
              ErrorCode.CONNECTION_LOST, "namespace stream: meta=" + address + " " + e, e));
    }
  }

  /** Stops waiting for a reply. */
  void forget(long sequence) {
    waiting.remove(sequence);
  }

  boolean usable() {
    return broken == null;
  }

  /** Requests without a reply. */
  int underWay() {
    return waiting.size();
  }

  /** When anything came last. */
  long lastReplyNanos() {
    return lastReplyNanos;
  }

  void close(String reason) {
    fail(lost(reason));
    ClientCallStreamObserver<NamespaceRequests> out = requests;
    if (out != null) {
      out.cancel(reason, null);
    }
  }

  @Override
  public void onNext(NamespaceReplies message) {
    lastReplyNanos = System.nanoTime();
    for (NamespaceReply reply : message.getRepliesList()) {
      CompletableFuture<NamespaceReply> call = waiting.remove(reply.getSequence());
      if (call != null) {
        call.complete(reply);
      }
    }
  }

  @Override
  public void onError(Throwable error) {
    Status status = Status.fromThrowable(error);
    ErrorCode code = StatusTable.code(status);
    fail(
        new LuciolaException(
            code, "namespace stream: meta=" + address + " status=" + status, error));
  }

  @Override
  public void onCompleted() {
    fail(lost("closed by the server"));
  }

  private void fail(LuciolaException reason) {
    if (broken == null) {
      broken = reason;
    }
    for (Long sequence : List.copyOf(waiting.keySet())) {
      CompletableFuture<NamespaceReply> call = waiting.remove(sequence);
      if (call != null) {
        call.completeExceptionally(reason);
      }
    }
  }

  private LuciolaException lost(String reason) {
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST, "namespace stream: meta=" + address + " reason=" + reason);
  }
}
