package luciola.cli.demo;

import java.util.ArrayList;
import java.util.List;

/** What the demo claims, and whether it was found true. Every claim is made exactly once. */
final class Checks {
  private final List<Check> done = new ArrayList<>();

  /** One claim and what was seen. */
  record Check(String claim, boolean holds, String seen) {}

  synchronized void add(String claim, boolean holds, String seen) {
    done.add(new Check(claim, holds, seen));
  }

  synchronized List<Check> all() {
    return List.copyOf(done);
  }

  /** Whether this many claims were checked and all of them hold. */
  synchronized boolean allHold(int expected) {
    return done.size() == expected && done.stream().allMatch(Check::holds);
  }
}
