package luciola.simulation.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import luciola.simulation.recovery.SmallRaft.Outcome;
import luciola.simulation.recovery.SmallRaft.Without;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RecoverySimulationTest {
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

  /** Each rule is needed: without it some history loses what was decided. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
  void withoutARuleSomethingIsLost(Without without) {
    int seed = 1;
    while (seed <= 20_000 && SmallRaft.run(seed, 3 + 2 * (seed % 2), without).broken().isEmpty()) {
      seed++;
    }
    System.out.println(without + " first seed " + seed);
    assertTrue(seed <= 20_000, "never seen");
  }
}
