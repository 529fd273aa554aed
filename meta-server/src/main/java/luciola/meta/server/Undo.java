package luciola.meta.server;

import java.util.ArrayDeque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a start that fails half-way has to close, newest first. */
final class Undo {
  private static final Logger LOG = LoggerFactory.getLogger(Undo.class);

  private final ArrayDeque<AutoCloseable> started = new ArrayDeque<>();

  void add(AutoCloseable part) {
    started.push(part);
  }

  void run() {
    for (AutoCloseable part : started) {
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("closing after a failed start: {}", e.toString());
      }
    }
  }
}
