package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MemberRecoveryTest {
  @Test
  void aGroupIsNewOnceAllOthersHaveSaidThatTheyHaveNoLog() {
    var recovery = new MemberRecovery(2, true);
    recovery.logOf(0, true);
    recovery.logOf(0, true);
    assertFalse(recovery.isDone());
    assertFalse(recovery.takes(Long.MAX_VALUE));
    recovery.logOf(1, true);
    assertTrue(recovery.isDone());
    assertTrue(recovery.takes(1));
  }

  @Test
  void oneThatHasGotALogMeanwhileIsNoneOfThem() {
    var recovery = new MemberRecovery(2, true);
    recovery.logOf(0, true);
    recovery.logOf(0, false);
    recovery.logOf(1, true);
    assertFalse(recovery.isDone());
  }

  /** It ended while it was being filled: then there was a group. */
  @Test
  void oneWithPartOfALogIsNoFounder() {
    var recovery = new MemberRecovery(2, false);
    recovery.logOf(0, true);
    recovery.logOf(1, true);
    assertFalse(recovery.isDone());
  }

  @Test
  void itTakesEntriesOfAConfirmedLeaderAndVotesWithEverythingThatWasDecided() {
    var recovery = new MemberRecovery(2, true);
    recovery.applied(100);
    assertFalse(recovery.isDone());
    recovery.leads(7, 40, false);
    assertFalse(recovery.takes(6));
    assertTrue(recovery.takes(7));
    assertTrue(recovery.takes(8));
    recovery.applied(100);
    assertFalse(recovery.isDone());
    assertFalse(recovery.hasHeard());
    recovery.hears();
    assertTrue(recovery.hasHeard());
    recovery.leads(7, 43, true);
    recovery.applied(42);
    assertFalse(recovery.isDone());
    recovery.applied(43);
    assertTrue(recovery.isDone());
  }

  /**
   * The first term that was confirmed stays the measure, and a leader makes the group an old one.
   */
  @Test
  void aLaterAnswerChangesNothing() {
    var recovery = new MemberRecovery(2, true);
    recovery.leads(7, 40, false);
    recovery.leads(5, 3, false);
    recovery.logOf(0, true);
    recovery.logOf(1, true);
    assertFalse(recovery.isDone());
    assertFalse(recovery.takes(5));
    recovery.applied(3);
    assertFalse(recovery.isDone());
  }
}
