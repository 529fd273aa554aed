package luciola.protocol.routing;

import static luciola.protocol.routing.PublicState.LAST_SERVING;
import static luciola.protocol.routing.PublicState.OFFLINE;
import static luciola.protocol.routing.PublicState.SERVING;
import static luciola.protocol.routing.PublicState.SYNCING;
import static luciola.protocol.routing.PublicState.WAITING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.TargetId;
import org.junit.jupiter.api.Test;

class ChainTest {
  /** Targets 1, 2, 3 … in these states. */
  static Chain chain(PublicState... states) {
    var members = new ArrayList<ChainMember>();
    for (PublicState state : states) {
      members.add(new ChainMember(target(members.size() + 1), state));
    }
    return new Chain(new ChainId(1), new ChainVersion(1), members);
  }

  private static TargetId target(long value) {
    return new TargetId(value);
  }

  @Test
  void theFirstServingMemberIsTheHeadAndTheLastTheTail() {
    Chain chain = chain(SERVING, SERVING, SYNCING, OFFLINE);
    assertEquals(Optional.of(target(1)), chain.head());
    assertEquals(Optional.of(target(2)), chain.tail());
    assertEquals(List.of(target(1), target(2)), chain.serving());
  }

  @Test
  void writesTravelThroughServingAndSyncingMembers() {
    Chain chain = chain(SERVING, SERVING, SYNCING, WAITING, OFFLINE);
    assertEquals(List.of(target(1), target(2), target(3)), chain.writePath());
    assertEquals(Optional.of(target(2)), chain.successorOf(target(1)));
    assertEquals(Optional.of(target(3)), chain.successorOf(target(2)));
    assertEquals(Optional.empty(), chain.successorOf(target(3)));
    assertEquals(Optional.empty(), chain.successorOf(target(4)));
    assertEquals(Optional.empty(), chain.predecessorOf(target(1)));
    assertEquals(Optional.of(target(2)), chain.predecessorOf(target(3)));
    assertEquals(Optional.empty(), chain.predecessorOf(target(4)));
    assertEquals(Optional.empty(), chain.predecessorOf(target(9)));
  }

  @Test
  void withoutAServingMemberThereIsNoHead() {
    Chain chain = chain(LAST_SERVING, LAST_SERVING, WAITING);
    assertEquals(Optional.empty(), chain.head());
    assertEquals(Optional.empty(), chain.tail());
    assertEquals(List.of(), chain.writePath());
    assertEquals(Optional.of(LAST_SERVING), chain.stateOf(target(2)));
    assertEquals(Optional.empty(), chain.stateOf(target(9)));
  }

  @Test
  void membersStandInTheOrderOfTheirStatesAndOnlyOnce() {
    assertThrows(IllegalArgumentException.class, () -> chain(SYNCING, SERVING));
    assertThrows(IllegalArgumentException.class, () -> chain(OFFLINE, WAITING));
    assertThrows(IllegalArgumentException.class, () -> chain());
    var twice = List.of(new ChainMember(target(1), SERVING), new ChainMember(target(1), OFFLINE));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Chain(new ChainId(1), new ChainVersion(1), twice));
  }
}
