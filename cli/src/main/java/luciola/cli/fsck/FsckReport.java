package luciola.cli.fsck;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Units;

/** Prints findings as they come, progress now and then, and sums at the end. */
final class FsckReport {
  private static final long PROGRESS_NANOS = Duration.ofSeconds(5).toNanos();

  private final Invocation invocation;
  private final boolean json;
  private final Map<String, Long> found = new TreeMap<>();
  private long repaired;
  private long left;
  private long unchecked;
  private long inodes;
  private long names;
  private long chunks;
  private long chains;
  private long toldNanos = System.nanoTime();

  /** A line of {@code --json}. */
  private record FindingLine(
      String kind, long inode, int chain, int chunk, String detail, String outcome) {}

  /** The last line of {@code --json}. */
  private record SumLine(
      long inodes,
      long names,
      long chains,
      long chunks,
      Map<String, Long> found,
      long repaired,
      long left,
      long chainsUnchecked) {}

  FsckReport(Invocation invocation, boolean json) {
    this.invocation = invocation;
    this.json = json;
  }

  void finding(Finding finding, Finding.Outcome outcome) {
    found.merge(finding.kind(), 1L, Long::sum);
    if (outcome == Finding.Outcome.REPAIRED) {
      repaired++;
    } else {
      left++;
    }
    if (json) {
      Json.print(
          invocation.out(),
          new FindingLine(
              finding.kind(),
              finding.inode(),
              finding.chain(),
              finding.chunk(),
              finding.detail(),
              outcome.word()));
    } else {
      invocation
          .out()
          .println(
              finding.line()
                  + switch (outcome) {
                    case FOUND -> "";
                    case REPAIRED -> "; repaired";
                    case LEFT -> "; left as it is";
                  });
    }
  }

  /** Findings that were counted and not told. */
  void more(long count) {
    found.merge("more", count, Long::sum);
    left += count;
  }

  /** A chain that could not be looked at. */
  void unchecked(int chain, String why) {
    unchecked++;
    invocation.err().println("chain " + chain + " not checked: " + why);
  }

  void namespace(long inodes, long names) {
    this.inodes = inodes;
    this.names = names;
    progress();
  }

  void chunks(long count) {
    chunks += count;
    progress();
  }

  void chain() {
    chains++;
  }

  private void progress() {
    long now = System.nanoTime();
    if (now - toldNanos >= PROGRESS_NANOS) {
      toldNanos = now;
      invocation.err().println(looked() + " so far");
    }
  }

  private String looked() {
    return Units.count(inodes, "inode")
        + ", "
        + Units.count(names, "name")
        + ", "
        + Units.count(chunks, "chunk")
        + " on "
        + Units.count(chains, "chain");
  }

  /** Whether nothing is wrong any more, as far as could be seen. */
  boolean isClean() {
    return left == 0 && unchecked == 0;
  }

  void sums() {
    if (json) {
      Json.print(
          invocation.out(),
          new SumLine(inodes, names, chains, chunks, found, repaired, left, unchecked));
      return;
    }
    found.forEach((kind, count) -> invocation.out().println(kind + ": " + count));
    invocation
        .out()
        .println(
            looked()
                + ": "
                + (found.isEmpty() ? "nothing wrong" : repaired + " repaired, " + left + " left")
                + (unchecked == 0 ? "" : "; " + Units.count(unchecked, "chain") + " not checked"));
  }
}
