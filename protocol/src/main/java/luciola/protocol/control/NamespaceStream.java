package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * One stream of calls to one meta-server. Replies come on the event loop and complete the futures
 * there; callers only wait on them. A stream that broke fails what waits and is not used again.
 */
final class NamespaceStream implements ClientResponseObserver<NamespaceRequest, NamespaceReply> {
  private final String address;
  private final Map<Long, CompletableFuture<NamespaceReply>> waiting = new HashMap<>();

  private @Nullable ClientCallStreamObserver<NamespaceRequest> requests;
  private @Nullable LuciolaException broken;
  private volatile long lastReplyNanos = System.nanoTime();

  private NamespaceStream(String address) {
    this.address = address;
  }

  static NamespaceStream open(String address, ManagedChannel channel) {
    NamespaceStream stream = new NamespaceStream(address);
    // The request side comes through beforeStart.
    var _ = NamespaceGrpc.newStub(channel).stream(stream);
    return stream;
  }

  @Override
  public synchronized void beforeStart(ClientCallStreamObserver<NamespaceRequest> stream) {
    requests = stream;
  }

  /** Sends a request; a second one with the same sequence shares the reply of the first. */
  synchronized CompletableFuture<NamespaceReply> send(NamespaceRequest request) {
    ClientCallStreamObserver<NamespaceRequest> out = requests;
    if (broken != null || out == null) {
      return CompletableFuture.failedFuture(broken == null ? lost("not started") : broken);
    }
    CompletableFuture<NamespaceReply> reply =
        waiting.computeIfAbsent(request.getSequence(), _ -> new CompletableFuture<>());
    out.onNext(request);
    return reply;
  }

  /** Stops waiting for a reply. */
  synchronized void forget(long sequence) {
    waiting.remove(sequence);
  }

  synchronized boolean usable() {
    return broken == null;
  }

  /** When anything came last. */
  long lastReplyNanos() {
    return lastReplyNanos;
  }

  void close(String reason) {
    ClientCallStreamObserver<NamespaceRequest> out;
    synchronized (this) {
      out = requests;
    }
    fail(lost(reason));
    if (out != null) {
      out.cancel(reason, null);
    }
  }

  @Override
  public void onNext(NamespaceReply reply) {
    lastReplyNanos = System.nanoTime();
    CompletableFuture<NamespaceReply> call;
    synchronized (this) {
      call = waiting.remove(reply.getSequence());
    }
    if (call != null) {
      call.complete(reply);
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
    List<CompletableFuture<NamespaceReply>> failed;
    synchronized (this) {
      if (broken == null) {
        broken = reason;
      }
      failed = List.copyOf(waiting.values());
      waiting.clear();
    }
    failed.forEach(call -> call.completeExceptionally(reason));
  }

  private LuciolaException lost(String reason) {
    return new LuciolaException(
        ErrorCode.CONNECTION_LOST, "namespace stream: meta=" + address + " reason=" + reason);
  }
}
