package luciola.simulation.world;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The last lines of what happened in a run. */
public final class Trace {
  private final int linesMax;
  private final Consumer<String> also;
  private final ArrayDeque<String> lines = new ArrayDeque<>();

  /**
   * @param linesMax lines to keep; 0: nothing is even put into words
   * @param also gets every line at once
   */
  public Trace(int linesMax, Consumer<String> also) {
    this.linesMax = linesMax;
    this.also = also;
  }

  void line(long nowNanos, String who, Supplier<String> what) {
    if (linesMax == 0) {
      return;
    }
    String line = String.format(Locale.ROOT, "%12.6f %-9s %s", nowNanos / 1e9, who, what.get());
    also.accept(line);
    lines.add(line);
    if (lines.size() > linesMax) {
      lines.remove();
    }
  }

  /** The kept lines, oldest first. */
  public List<String> lines() {
    return List.copyOf(lines);
  }
}
