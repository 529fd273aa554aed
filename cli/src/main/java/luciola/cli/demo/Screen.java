package luciola.cli.demo;

import java.io.PrintStream;
import java.util.Locale;
import luciola.cli.terminal.Invocation;

/**
 * What the demo shows while it runs: a heading per stage, one line of progress that is rewritten on
 * a terminal.
 */
final class Screen {
  private static final long PLAIN_NANOS = 5_000_000_000L;
  private static final long TERMINAL_NANOS = 200_000_000L;

  private final PrintStream out;
  private final boolean interactive;
  private final long startNanos = System.nanoTime();
  private long lastNanos = Long.MIN_VALUE;
  private boolean dirty;

  Screen(Invocation invocation) {
    this.out = invocation.out();
    this.interactive = invocation.interactive();
  }

  /** Seconds since the demo began. */
  double seconds() {
    return (System.nanoTime() - startNanos) / 1e9;
  }

  synchronized void heading(String text) {
    clear();
    out.printf(Locale.ROOT, "%n[%5.1f s] %s%n", seconds(), text);
    out.flush();
    lastNanos = System.nanoTime();
  }

  synchronized void line(String text) {
    clear();
    out.println("          " + text);
    out.flush();
  }

  /** Shown now and then: often on a terminal, every five seconds elsewhere. */
  synchronized void progress(String text) {
    long now = System.nanoTime();
    if (now - lastNanos < (interactive ? TERMINAL_NANOS : PLAIN_NANOS)) {
      return;
    }
    lastNanos = now;
    if (interactive) {
      out.print("\r\033[K          " + text);
      dirty = true;
    } else {
      out.println("          " + text);
    }
    out.flush();
  }

  private void clear() {
    if (dirty) {
      out.print("\r\033[K");
      dirty = false;
    }
  }
}
