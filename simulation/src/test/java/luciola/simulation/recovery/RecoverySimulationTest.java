package luciola.simulation.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import luciola.simulation.recovery.SmallRaft.Outcome;
import luciola.simulation.recovery.SmallRaft.Without;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecoverySimulationTest {
  private static final int SEARCHED = 5_000;
  private static final int SEEDS = Integer.getInteger("luciola.recovery.seeds", 400);

  @Test
  void nothingThatWasDecidedIsLostWithTheDisksOfAMinority() {
    long decided = 0;
    long wipes = 0;
    long recoveries = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
      for (int members = 3; members <= 5; members += 2) {
        Outcome outcome = SmallRaft.run(seed, members, Without.NOTHING);
        assertEquals(Optional.empty(), outcome.broken(), "seed " + seed + " members " + members);
        decided += outcome.decided();
        wipes += outcome.wipes();
        recoveries += outcome.recoveries();
      }
    }
    System.out.println("decided=" + decided + " wipes=" + wipes + " recoveries=" + recoveries);
    assertTrue(decided > 10L * SEEDS, "decided " + decided);
    assertTrue(recoveries > SEEDS, "recoveries " + recoveries + " of " + wipes);
  }

  /**
   * Each rule is needed: without it some history loses what was decided. The first such seeds of
   * three members are from 2 to 11,917; the search begins a little before.
   */
  @ParameterizedTest
  @CsvSource({
    "RECOVERY, 1",
    "EVERYTHING_BEFORE_VOTES, 1",
    "SILENCE, 1",
    "CONFIRMED_LEADER, 1",
    "HEARING_FIRST, 11500"
  })
  void withoutARuleSomethingIsLost(Without without, int from) {
    int seed = from;
    while (seed < from + SEARCHED && SmallRaft.run(seed, 3, without).broken().isEmpty()) {
      seed++;
    }
    System.out.println(without + " first seed " + seed);
    assertTrue(seed < from + SEARCHED, "never seen");
  }
}
