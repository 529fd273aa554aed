package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class GarbageTurnTest {
  private static final long LEASE = 100;

  private final GarbageTurn turn = new GarbageTurn(LEASE);

  @Test
  void oneAtATimeUntilItHasDroppedWhatItTook() {
    assertTrue(turn.begins(1, 0));
    assertTrue(turn.begins(1, 1), "it asks again, its answer was lost");
    assertFalse(turn.begins(2, 2));
    turn.ends(2);
    assertFalse(turn.begins(2, 3), "only who has the turn ends it");
    turn.ends(1);
    assertTrue(turn.begins(2, 4));
    assertFalse(turn.begins(1, 5));
  }

  @Test
  void oneThatIsHeardOfKeepsItsTurnHoweverLongItTakes() {
    assertTrue(turn.begins(1, 0));
    for (long now = 90; now < 1_000; now += 90) {
      turn.heard(2, now);
      turn.heard(1, now);
      assertFalse(turn.begins(2, now + 50));
    }
  }

  @Test
  void aDeadOneIsFollowedAfterItsLease() {
    assertTrue(turn.begins(1, 0));
    assertFalse(turn.begins(2, LEASE));
    assertTrue(turn.begins(2, LEASE + 1));
    turn.ends(1);
    assertFalse(turn.begins(1, LEASE + 2), "it was late, and ends nobody else's turn");
  }
}
