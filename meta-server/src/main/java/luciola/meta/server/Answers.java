package luciola.meta.server;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Turns outcomes into replies: a fault is a reply with its code, never a broken call. */
final class Answers {
  private Answers() {}

  static LuciolaException fault(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return cause instanceof LuciolaException fault
        ? fault
        : new LuciolaException(ErrorCode.INTERNAL, "unexpected: " + cause, cause);
  }

  /** Sends the reply, or what {@code onFault} makes of the failure. */
  static <T> void send(
      CompletableFuture<T> reply, StreamObserver<T> to, Function<LuciolaException, T> onFault) {
    var _ =
        reply.handle((answer, failure) -> {
          try {
            to.onNext(failure == null ? answer : onFault.apply(fault(failure)));
            to.onCompleted();
          } catch (IllegalStateException | io.grpc.StatusRuntimeException gone) {
            // The caller has cancelled; nobody waits.
            return false;
          }
          return true;
        });
  }

  static Status status(LuciolaException fault) {
    return Status.UNAVAILABLE.withDescription(fault.getMessage()).withCause(fault);
  }
}
