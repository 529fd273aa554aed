package luciola.cli.soak.load;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Violations of a run: all counted, the first ones kept. */
public final class Findings {
  private static final int KEPT_MAX = 100;

  private final Consumer<Violation> listener;
  private final List<Violation> kept = new ArrayList<>();
  private final AtomicLong count = new AtomicLong();

  /**
   * None yet.
   *
   * @param listener told of each that is kept, by the thread that found it
   */
  public Findings(Consumer<Violation> listener) {
    this.listener = listener;
  }

  /** Something is wrong. */
  public void add(String rule, String where, String expected, String got) {
    add(rule, where, null, expected, got);
  }

  /** A block is wrong. */
  void add(String rule, String where, @Nullable BlockAddress block, String expected, String got) {
    count.incrementAndGet();
    var violation = new Violation(Instant.now(), rule, where, block, expected, got);
    synchronized (this) {
      if (kept.size() >= KEPT_MAX) {
        return;
      }
      kept.add(violation);
    }
    listener.accept(violation);
  }

  public long count() {
    return count.get();
  }

  /** The first ones. */
  public synchronized List<Violation> kept() {
    return List.copyOf(kept);
  }
}
