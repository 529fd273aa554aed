package luciola.cli.transfer;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Temporary names of copies under way. When the process is told to end (Ctrl-C) they are removed,
 * as far as that goes within a few seconds.
 */
final class Unfinished implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Removes one temporary name; may fail. */
  @FunctionalInterface
  interface Removal {
    void run() throws Exception;
  }

  private final Map<String, Removal> removals = new ConcurrentHashMap<>();
  private final Thread hook = new Thread(this::removeAll, "unfinished");

  Unfinished() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  void begin(String temporary, Removal removal) {
    removals.put(temporary, removal);
  }

  void end(String temporary) {
    removals.remove(temporary);
  }

  private void removeAll() {
    Thread worker =
        Thread.ofPlatform()
            .daemon()
            .name("unfinished-removal")
            .start(() -> removals.values().forEach(Unfinished::removeQuietly));
    try {
      worker.join(PATIENCE.toMillis());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeQuietly(Removal removal) {
    try {
      removal.run();
    } catch (Exception _) {
      // Its name says that it is no file of anybody's; nothing more can be done while ending.
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The process is ending: the hook is at work.
    }
  }
}
