package luciola.meta.server;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Answers that are given one after the other on one thread, and are sent when the last is given: a
 * message for each stream instead of one for each answer.
 */
final class Together {
  private static final ThreadLocal<Set<ReplyStream>> GIVEN = new ThreadLocal<>();

  private Together() {}

  /** Does what gives answers; then sends them. */
  static void run(Runnable answering) {
    if (GIVEN.get() != null) {
      answering.run();
      return;
    }
    Set<ReplyStream> streams = new LinkedHashSet<>();
    GIVEN.set(streams);
    try {
      answering.run();
    } finally {
      GIVEN.remove();
      streams.forEach(ReplyStream::flush);
    }
  }

  /** Whether a stream may leave sending to the end of what this thread is doing. */
  static boolean leaves(ReplyStream stream) {
    Set<ReplyStream> streams = GIVEN.get();
    if (streams == null) {
      return false;
    }
    streams.add(stream);
    return true;
  }
}
