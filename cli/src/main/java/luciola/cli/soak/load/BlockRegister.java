package luciola.cli.soak.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What one block may hold. It has one writer, whose operations begin one after the other and are
 * acknowledged in that order; readers come at any time. For such a register a history is
 * linearizable exactly if every read returns
 *
 * <ul>
 *   <li>nothing older than the newest write that was acknowledged before the read began,
 *   <li>nothing older than what any read returned that ended before it began,
 *   <li>nothing that had not begun when the read ended.
 * </ul>
 *
 * An operation that was given up with an unknown outcome may take effect at any later time, even
 * after newer ones: its value stays possible for good.
 *
 * <pre>
 *   operations   1   2   3   4   5   6
 *                        ^floor      ^begun      a read may return 3, 4, 5 or 6
 * </pre>
 */
final class BlockRegister {
  private final ArrayDeque<Operation> operations = new ArrayDeque<>();
  private final List<BlockValue> possibleForGood = new ArrayList<>();
  private final TreeMap<Long, Integer> reading = new TreeMap<>();
  private long begun;
  private long acknowledged;
  private long observed;

  /** The block as it is in a file that was just made. */
  BlockRegister() {
    operations.add(new Operation(0, new BlockValue.Zeros()));
  }

  private record Operation(long sequence, BlockValue value) {}

  /**
   * A read that is under way.
   *
   * @param floor nothing older than this may be returned
   * @param acknowledged newest operation that was acknowledged when it began
   */
  record Read(long floor, long acknowledged) {}

  /** A write begins; returns its number. */
  synchronized long beginWrite() {
    return begin(new BlockValue.Written(begun + 1));
  }

  /** A truncate begins that leaves the first {@code bytes} of the block. */
  synchronized long beginCut(int bytes) {
    return begin(operations.getLast().value().cut(bytes));
  }

  private long begin(BlockValue value) {
    begun++;
    operations.add(new Operation(begun, value));
    return begun;
  }

  /** The operation, and all before it, are done. */
  synchronized void acknowledge(long sequence) {
    acknowledged = Math.max(acknowledged, sequence);
    forget();
  }

  /** Nobody knows what has become of the operation, nor ever will. */
  synchronized void unknown(long sequence) {
    for (Operation each : operations) {
      if (each.sequence() == sequence && !possibleForGood.contains(each.value())) {
        possibleForGood.add(each.value());
      }
    }
  }

  /** Whether a truncate may cut it in the middle: what it holds now must be certain. */
  synchronized boolean certain() {
    return possibleForGood.isEmpty() && begun == acknowledged;
  }

  /** Whether it was given up that what it holds can be known for sure. */
  synchronized boolean doubtful() {
    return !possibleForGood.isEmpty();
  }

  synchronized Read beginRead() {
    var read = new Read(Math.max(acknowledged, observed), acknowledged);
    reading.merge(read.floor(), 1, Integer::sum);
    return read;
  }

  /** The read ended without a result. */
  synchronized void cancel(Read read) {
    reading.computeIfPresent(read.floor(), (_, count) -> count == 1 ? null : count - 1);
    forget();
  }

  /** What the read may have returned, oldest first; those possible for good come last. */
  private synchronized List<Operation> allowed(Read read) {
    var allowed = new ArrayList<Operation>();
    operations.stream().filter(each -> each.sequence() >= read.floor()).forEach(allowed::add);
    possibleForGood.forEach(value -> allowed.add(new Operation(-1, value)));
    return allowed;
  }

  /** Asks of one value whether it is what was read. */
  interface Comparison {
    /**
     * Whether it is.
     *
     * @param acknowledged whether its operation was acknowledged when the read began; if not, the
     *     file's length may not tell of it yet, so that only its front can be read
     */
    boolean holds(BlockValue value, boolean acknowledged);
  }

  /** The read ended; returns what it should have returned if it is none of that. */
  Optional<String> endRead(Read read, Comparison found) {
    List<Operation> allowed = allowed(read);
    boolean inDoubt =
        allowed.stream().anyMatch(each -> each.sequence() < 0 && found.holds(each.value(), false));
    Optional<Operation> match =
        allowed.stream()
            .filter(each ->
                each.sequence() >= 0
                    && found.holds(each.value(), each.sequence() <= read.acknowledged()))
            .findFirst();
    synchronized (this) {
      if (match.isPresent() && !inDoubt) {
        observed = Math.max(observed, match.get().sequence());
      }
      String window = match.isPresent() || inDoubt ? "" : text(read, allowed);
      cancel(read);
      return window.isEmpty() ? Optional.empty() : Optional.of(window);
    }
  }

  private String text(Read read, List<Operation> allowed) {
    List<String> values =
        allowed.stream().map(each -> each.sequence() + "=" + each.value()).limit(12).toList();
    return "floor="
        + read.floor()
        + " acknowledged="
        + acknowledged
        + " observed="
        + observed
        + " begun="
        + begun
        + " allowed="
        + values;
  }

  /** Drops what no read can return any more. */
  private void forget() {
    long needed = Math.max(acknowledged, observed);
    if (!reading.isEmpty()) {
      needed = Math.min(needed, reading.firstKey());
    }
    while (operations.size() > 1 && operations.getFirst().sequence() < needed) {
      operations.removeFirst();
    }
  }
}
