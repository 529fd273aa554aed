package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.OptionalLong;
import luciola.meta.cluster.ReadRounds.Effect;
import org.junit.jupiter.api.Test;

class ReadRoundsTest {
  private static final OptionalLong LEADS_7 = OptionalLong.of(7);
  private static final OptionalLong LEADS_9 = OptionalLong.of(9);
  private static final OptionalLong FOLLOWS = OptionalLong.empty();
  private static final long ROUND = 100;
  private static final long READ = 350;

  private final ReadRounds<String> three =
      new ReadRounds<>(ReadRounds.othersOfMajority(3), ROUND, READ);

  private static Effect<String> ask(long round, long term) {
    return new Effect.Ask<>(round, term);
  }

  private static Effect<String> release(String... reads) {
    return new Effect.Release<>(ImmutableList.copyOf(reads));
  }

  private static Effect<String> refuse(String... reads) {
    return new Effect.Refuse<>(ImmutableList.copyOf(reads));
  }

  @Test
  void aReadIsLetGoWhenAMajorityHasTheLeadersTerm() {
    assertEquals(List.of(ask(1, 7)), three.read("a", LEADS_7, 0));
    assertEquals(List.of(release("a")), three.answered(1, 2, 7, LEADS_7, 5));
    assertTrue(three.isIdle());
    // The third one's word comes late.
    assertEquals(List.of(), three.answered(1, 3, 7, LEADS_7, 6));
  }

  @Test
  void aReadThatComesDuringARoundWaitsForTheNext() {
    three.read("a", LEADS_7, 0);
    assertEquals(List.of(), three.read("b", LEADS_7, 1));
    assertEquals(List.of(), three.read("c", LEADS_7, 2));
    assertEquals(List.of(release("a"), ask(2, 7)), three.answered(1, 2, 7, LEADS_7, 5));
    assertEquals(List.of(), three.answered(1, 3, 7, LEADS_7, 6), "of the round before");
    assertEquals(List.of(release("b", "c")), three.answered(2, 3, 7, LEADS_7, 8));
  }

  @Test
  void whoHasAnotherTermDoesNotAgree() {
    three.read("a", LEADS_7, 0);
    assertEquals(List.of(), three.answered(1, 2, 8, LEADS_7, 5));
    assertEquals(List.of(), three.answered(1, 3, 6, LEADS_7, 5));
    assertFalse(three.isIdle());
  }

  @Test
  void oneMemberCountsOnce() {
    var five = new ReadRounds<String>(ReadRounds.othersOfMajority(5), ROUND, READ);
    five.read("a", LEADS_7, 0);
    assertEquals(List.of(), five.answered(1, 2, 7, LEADS_7, 1));
    assertEquals(List.of(), five.answered(1, 2, 7, LEADS_7, 2));
    assertEquals(List.of(release("a")), five.answered(1, 4, 7, LEADS_7, 3));
  }

  @Test
  void anAnswerToARoundOfAFormerTermLetsNothingGo() {
    three.read("a", LEADS_7, 0);
    assertEquals(List.of(), three.tick(LEADS_9, ROUND - 1));
    assertEquals(List.of(ask(2, 9)), three.tick(LEADS_9, ROUND));
    assertEquals(List.of(), three.answered(1, 2, 7, LEADS_9, ROUND + 1));
    assertEquals(List.of(release("a")), three.answered(2, 2, 9, LEADS_9, ROUND + 2));
  }

  @Test
  void whoLeadsNoMoreRefusesAllThatWait() {
    three.read("a", LEADS_7, 0);
    three.read("b", LEADS_7, 0);
    assertEquals(List.of(refuse("a", "b", "c")), three.read("c", FOLLOWS, 1));
    three.read("d", LEADS_7, 2);
    assertEquals(List.of(refuse("d")), three.tick(FOLLOWS, 3));
    three.read("e", LEADS_7, 4);
    three.read("f", LEADS_7, 4);
    // It led when the members agreed; for the next round it does not.
    assertEquals(List.of(release("e"), refuse("f")), three.answered(3, 2, 7, FOLLOWS, 5));
    assertTrue(three.isIdle());
  }

  @Test
  void aReadWithoutAMajorityIsAskedForAgainAndThenRefused() {
    three.read("a", LEADS_7, 0);
    three.read("b", LEADS_7, 90);
    assertEquals(List.of(ask(2, 7)), three.tick(LEADS_7, 100));
    assertEquals(List.of(ask(3, 7)), three.tick(LEADS_7, 200));
    assertEquals(List.of(refuse("a"), ask(4, 7)), three.tick(LEADS_7, READ));
    assertEquals(List.of(release("b")), three.answered(4, 3, 7, LEADS_7, READ + 1));
  }

  @Test
  void aloneNobodyIsAsked() {
    var alone = new ReadRounds<String>(ReadRounds.othersOfMajority(1), ROUND, READ);
    assertEquals(List.of(release("a")), alone.read("a", LEADS_7, 0));
    assertEquals(List.of(refuse("b")), alone.read("b", FOLLOWS, 0));
  }
}
