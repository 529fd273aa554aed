package luciola.meta.cluster;

import java.util.HashSet;
import java.util.Set;

/**
 * What a member may do that began with an empty disk. It may have lost one: then it has forgotten
 * what it acknowledged and for whom it voted, and a majority that counts it is none. So it waits
 * until it knows better.
 *
 * <ul>
 *   <li>All others have no log either: the group is new, there is nothing to forget.
 *   <li>Another leads, and a majority without this member has confirmed that after this one began:
 *       entries are taken of that leader's term or a later one. A leader of before finds no
 *       majority by this member's help.
 *   <li>That leader has sent something, so it has heard all that this member acknowledged before it
 *       lost its disk; it is asked again, and what it says then is decided is here: this member
 *       votes, as only now it can tell who knows less.
 * </ul>
 *
 * <p>Where a majority has lost its disks nothing of this comes to pass, and nobody is elected: what
 * the others still have is an operator's to save.
 *
 * <p>A pure core, owned by one thread at a time.
 */
public final class MemberRecovery {
  private final int others;
  private final boolean hasNoLog;
  private final Set<Integer> empty = new HashSet<>();

  private long leaderTerm;
  private boolean heard;
  private long decidedIndex = Long.MAX_VALUE;
  private boolean done;

  /**
   * Of a member that does not know yet.
   *
   * @param others how many other members there are
   * @param hasNoLog whether it has none; else it was being filled when it ended
   */
  public MemberRecovery(int others, boolean hasNoLog) {
    this.others = others;
    this.hasNoLog = hasNoLog;
  }

  /** Another member has said whether it has a log. */
  public void logOf(int member, boolean isEmpty) {
    if (isEmpty) {
      empty.add(member);
    } else {
      empty.remove(member);
    }
    if (hasNoLog && leaderTerm == 0 && empty.size() == others) {
      done = true;
    }
  }

  /**
   * Another member leads, which a majority without this one confirmed when it was asked.
   *
   * @param term that it leads, from 1
   * @param decided the last entry that was decided by then
   * @param askedSinceHeard whether {@link #hasHeard} when it was asked
   */
  public void leads(long term, long decided, boolean askedSinceHeard) {
    if (leaderTerm == 0) {
      leaderTerm = term;
    }
    if (askedSinceHeard) {
      decidedIndex = Math.min(decidedIndex, decided);
    }
  }

  /** Entries, or a word, of a leader that entries are taken of. */
  public void hears() {
    heard = true;
  }

  /** Whether a leader that entries are taken of has sent anything. */
  public boolean hasHeard() {
    return heard;
  }

  /** Entries up to here are on the disk and applied; -1 if none are. */
  public void applied(long index) {
    done |= index >= decidedIndex;
  }

  /** Whether entries are taken of whoever leads this term. */
  public boolean takes(long term) {
    return done || (leaderTerm > 0 && term >= leaderTerm);
  }

  /** Whether it is a member like the others: votes, and counts where a majority is asked. */
  public boolean isDone() {
    return done;
  }
}
