package luciola.cli.soak;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import luciola.cli.soak.fault.Fleet;
import org.jspecify.annotations.Nullable;

/**
 * What is done when this process is told to end (SIGTERM, Ctrl-C) in the middle of a soak: its
 * servers are killed by their ids, their network is removed, and what was found so far is told.
 * Nothing happens where the soak ends by itself before.
 */
final class EarlyEnd implements AutoCloseable {
  private static final long MAKE_SECONDS = 60;

  private final Thread main = Thread.currentThread();
  private final CompletableFuture<Optional<Fleet>> fleet = new CompletableFuture<>();
  private final BiConsumer<Optional<SoakReport>, String> after;
  private final Thread hook = new Thread(this::run, "soak-end");
  private volatile @Nullable Soak soak;
  private volatile boolean begun;

  private EarlyEnd(BiConsumer<Optional<SoakReport>, String> after) {
    this.after = after;
  }

  /**
   * Listens from now on; used by the thread that runs the soak.
   *
   * @param after takes the report, if the soak has begun, and what could not be cleaned up, if
   *     anything, when everything else is done
   */
  static EarlyEnd listen(BiConsumer<Optional<SoakReport>, String> after) {
    var end = new EarlyEnd(after);
    Runtime.getRuntime().addShutdownHook(end.hook);
    return end;
  }

  /** Makes the fleet; it is closed if the process is told to end, even while it is made. */
  Fleet make(Callable<Fleet> maker) throws Exception {
    try {
      Fleet made = maker.call();
      fleet.complete(Optional.of(made));
      return made;
    } catch (Exception e) {
      fleet.complete(Optional.empty());
      throw e;
    }
  }

  /** This soak is running. */
  void runs(Soak running) {
    soak = running;
  }

  /** Whether the process was told to end. */
  boolean begun() {
    return begun;
  }

  private void run() {
    begun = true;
    main.interrupt();
    Soak running = soak;
    Optional<SoakReport> report = Optional.ofNullable(running).map(Soak::end);
    String left = "";
    try {
      Optional<Fleet> made = fleet.get(MAKE_SECONDS, TimeUnit.SECONDS);
      if (made.isPresent()) {
        made.get().close();
      }
    } catch (IOException | ExecutionException | TimeoutException e) {
      left = e.toString();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    after.accept(report, left);
  }

  @Override
  public void close() {
    if (!begun) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // The end has begun just now.
      }
    }
  }
}
