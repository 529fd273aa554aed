package luciola.simulation.check;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import org.junit.jupiter.api.Test;

/** Who may serve when the manager's books say what. */
final class OneAuthorityTest {
  private static final TargetId STAYS = new TargetId(1);
  private static final TargetId GOES = new TargetId(2);

  private final OneAuthority authority = new OneAuthority();
  private final Chain both = chain(5, serving(STAYS), serving(GOES));
  private final Chain stepsDown = chain(6, serving(STAYS), syncing(GOES));
  private final Chain without = chain(7, serving(STAYS));

  private static ChainMember serving(TargetId target) {
    return new ChainMember(target, PublicState.SERVING);
  }

  private static ChainMember syncing(TargetId target) {
    return new ChainMember(target, PublicState.SYNCING);
  }

  private static Chain chain(int version, ChainMember... members) {
    return new Chain(new ChainId(1), new ChainVersion(version), List.of(members));
  }

  @Test
  void whoStepsDownServesUntilItIsTold() {
    authority.decided(both, stepsDown);
    assertDoesNotThrow(() -> authority.serves(GOES, stepsDown, 5));
    assertThrows(RuleBroken.class, () -> authority.serves(GOES, stepsDown, 6));
  }

  @Test
  void whoWasTakenOutDoesNotServe() {
    authority.decided(both, without);
    assertThrows(RuleBroken.class, () -> authority.serves(GOES, without, 5));
    assertThrows(RuleBroken.class, () -> authority.answers(GOES, without, 5));
  }

  @Test
  void whatWasDecidedBeforeItWasToldIsAnsweredAfterIt() {
    authority.decided(both, stepsDown);
    assertDoesNotThrow(() -> authority.answers(GOES, stepsDown, 5));
    assertThrows(RuleBroken.class, () -> authority.answers(GOES, stepsDown, 6));
    authority.decided(stepsDown, without);
    assertDoesNotThrow(() -> authority.answers(GOES, without, 5));
    assertThrows(RuleBroken.class, () -> authority.answers(GOES, without, 6));
    assertThrows(RuleBroken.class, () -> authority.serves(GOES, without, 5));
  }

  @Test
  void onlyTheHeadOrOneThatWasItSaysWhatIsCommitted() {
    assertDoesNotThrow(() -> authority.decides(STAYS, both, 5));
    assertThrows(RuleBroken.class, () -> authority.decides(GOES, both, 5));
    authority.decided(both, stepsDown);
    assertThrows(RuleBroken.class, () -> authority.decides(GOES, stepsDown, 5));
  }
}
