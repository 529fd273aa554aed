package luciola.protocol.control;

import java.util.TreeSet;

/**
 * Sequences of a client's calls: which is next, and up to which one every call has ended, so that
 * the meta-server may forget its replies. Any thread.
 */
final class CallLedger {
  private final TreeSet<Long> open = new TreeSet<>();
  private long last;

  synchronized long begin() {
    last++;
    open.add(last);
    return last;
  }

  synchronized void end(long sequence) {
    open.remove(sequence);
  }

  synchronized long acknowledged() {
    return open.isEmpty() ? last : open.first() - 1;
  }
}
