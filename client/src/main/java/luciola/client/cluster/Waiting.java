package luciola.client.cluster;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import luciola.protocol.error.LuciolaException;

/** Waits for a future whose faults are of this project's kind. */
final class Waiting {
  private Waiting() {}

  static <T> T on(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof LuciolaException fault) {
        throw new LuciolaException(fault.code(), detail(fault), fault);
      }
      throw e;
    }
  }

  /** The message of a fault without its code, which the constructor adds again. */
  static String detail(LuciolaException fault) {
    String message = String.valueOf(fault.getMessage());
    String prefix = fault.code() + ": ";
    return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
  }
}
