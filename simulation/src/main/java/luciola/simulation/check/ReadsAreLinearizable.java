package luciola.simulation.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import luciola.protocol.id.ChunkId;
import luciola.simulation.check.History.Operation;
import org.jspecify.annotations.Nullable;

/**
 * Each chunk behaves as if its operations happened one at a time, each at some moment between its
 * call and its end. The search is that of Wing and Gong (1993) with Lowe's memory of visited
 * configurations (2017). An update that was never acknowledged may happen at any time after its
 * call or not at all; the search tries those last. A write that was never acknowledged and of which
 * no read saw anything is left out: whatever hid its cells from every read gave the chunk the same
 * existence, length and zeros as without it.
 */
public final class ReadsAreLinearizable {
  private static final String RULE = "ReadsAreLinearizable";

  private final int configurationsMax;
  private int undecided;

  /**
   * @param configurationsMax visited configurations after which a chunk's history counts as
   *     undecided
   */
  public ReadsAreLinearizable(int configurationsMax) {
    this.configurationsMax = configurationsMax;
  }

  /** Chunks whose history was too hard to decide. */
  public int undecided() {
    return undecided;
  }

  /** Checks every chunk. */
  public void check(History history) {
    history.operations().forEach(this::check);
  }

  private void check(ChunkId chunk, List<Operation> operations) {
    var search = new Search(thatMatter(operations), configurationsMax);
    switch (search.run()) {
      case YES -> {}
      case UNDECIDED -> undecided++;
      case NO -> throw new RuleBroken(RULE, "chunk=" + chunk + search.explain());
    }
  }

  private static List<Operation> thatMatter(List<Operation> operations) {
    var seen = new HashSet<Long>();
    operations.stream().filter(Operation::read).forEach(read -> read.seen().addValuesTo(seen));
    return operations.stream().filter(each -> each.ended() || !each.unseenWrite(seen)).toList();
  }

  private enum Verdict {
    YES,
    NO,
    UNDECIDED
  }

  /** A call or an end in the order of time, linked so that both can be lifted out and put back. */
  private static final class Entry {
    final int id;
    final Operation operation;
    final boolean call;
    @Nullable Entry end;
    @Nullable Entry before;
    @Nullable Entry after;

    Entry(int id, Operation operation, boolean call) {
      this.id = id;
      this.operation = operation;
      this.call = call;
    }

    long timeNanos() {
      return call ? operation.calledNanos() : operation.endedNanos();
    }
  }

  private record Configuration(BitSet done, Content state) {}

  private record Step(Entry call, Content stateBefore) {}

  private static final class Search {
    private final Entry first;
    private final int configurationsMax;
    private final Set<Configuration> visited = new HashSet<>();
    private final ArrayDeque<Step> steps = new ArrayDeque<>();
    private final List<Operation> operations;
    private BitSet done = new BitSet();
    private Content state = Content.MISSING;
    private int definiteLeft;

    /** Whether operations that ended are tried now, or those that did not. */
    private boolean definite = true;

    private List<String> deepest = List.of();
    private @Nullable Entry stuckAt;

    Search(List<Operation> operations, int configurationsMax) {
      this.operations = operations;
      this.configurationsMax = configurationsMax;
      this.definiteLeft = (int) operations.stream().filter(Operation::ended).count();
      this.first = link(operations);
    }

    private static Entry link(List<Operation> operations) {
      var entries = new ArrayList<Entry>();
      for (int id = 0; id < operations.size(); id++) {
        Entry call = new Entry(id, operations.get(id), true);
        Entry end = new Entry(id, operations.get(id), false);
        call.end = end;
        entries.add(call);
        entries.add(end);
      }
      // A call at the time of another operation's end counts as concurrent with it.
      entries.sort(Comparator.comparingLong(Entry::timeNanos).thenComparing(entry -> !entry.call));
      Entry first = new Entry(-1, operations.getFirst(), false);
      Entry last = first;
      for (Entry entry : entries) {
        last.after = entry;
        entry.before = last;
        last = entry;
      }
      return first;
    }

    Verdict run() {
      @Nullable Entry at = first.after;
      while (definiteLeft > 0) {
        if (at != null && at.call) {
          @Nullable Content next =
              at.operation.ended() == definite ? at.operation.after(state) : null;
          if (next != null && visit(at, next)) {
            take(at, next);
            at = first.after;
          } else {
            at = at.after;
          }
          if (visited.size() > configurationsMax) {
            return Verdict.UNDECIDED;
          }
        } else if (definite) {
          definite = false;
          at = first.after;
        } else {
          remember(at);
          if (steps.isEmpty()) {
            return Verdict.NO;
          }
          at = back();
        }
      }
      return Verdict.YES;
    }

    private boolean visit(Entry call, Content next) {
      BitSet with = (BitSet) done.clone();
      with.set(call.id);
      return visited.add(new Configuration(with, next));
    }

    private void take(Entry call, Content next) {
      steps.push(new Step(call, state));
      state = next;
      done.set(call.id);
      definite = true;
      if (call.operation.ended()) {
        definiteLeft--;
      }
      lift(call);
    }

    private @Nullable Entry back() {
      Step step = steps.pop();
      state = step.stateBefore();
      done.clear(step.call().id);
      definite = step.call().operation.ended();
      if (definite) {
        definiteLeft++;
      }
      putBack(step.call());
      return step.call().after;
    }

    private static void lift(Entry call) {
      unlink(call);
      if (call.end != null) {
        unlink(call.end);
      }
    }

    private static void putBack(Entry call) {
      if (call.end != null) {
        relink(call.end);
      }
      relink(call);
    }

    private static void unlink(Entry entry) {
      if (entry.before != null) {
        entry.before.after = entry.after;
      }
      if (entry.after != null) {
        entry.after.before = entry.before;
      }
    }

    private static void relink(Entry entry) {
      if (entry.before != null) {
        entry.before.after = entry;
      }
      if (entry.after != null) {
        entry.after.before = entry;
      }
    }

    private void remember(@Nullable Entry end) {
      if (steps.size() >= deepest.size()) {
        var order = new ArrayList<String>();
        steps
            .descendingIterator()
            .forEachRemaining(step -> order.add(step.call().operation.toString()));
        deepest = order;
        stuckAt = end;
      }
    }

    String explain() {
      var text = new StringBuilder();
      text.append(" operations=").append(operations.size());
      text.append(", longest order found, then stuck:");
      List<String> tail = deepest.subList(Math.max(0, deepest.size() - 12), deepest.size());
      tail.forEach(line -> text.append("\n    ").append(line));
      if (stuckAt != null) {
        text.append("\n  stuck before the end of\n    ").append(stuckAt.operation);
      }
      return text.toString();
    }
  }
}
