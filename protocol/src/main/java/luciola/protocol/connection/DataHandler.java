package luciola.protocol.connection;

/** What a server does with requests. */
@FunctionalInterface
public interface DataHandler {
  /**
   * Takes a call. Runs on an event loop and must not block: hand the call to a thread of your own
   * unless it can be answered at once. An exception answers it with INTERNAL.
   */
  void handle(Call call);
}
