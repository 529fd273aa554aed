package luciola.protocol.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.layout.FileLayout;
import org.junit.jupiter.api.Test;

class RoutingTest {
  private static final ChainTableId TABLE = new ChainTableId(1);

  private static Chain chain(int id, int version) {
    return new Chain(
        new ChainId(id),
        new ChainVersion(version),
        List.of(new ChainMember(new TargetId(id), PublicState.SERVING)));
  }

  private static StorageNode node(long id, String host, long... targets) {
    return new StorageNode(
        new NodeId(id),
        host,
        1,
        Map.of(),
        java.util.Arrays.stream(targets).mapToObj(TargetId::new).toList(),
        1);
  }

  private static RoutingDelta delta(
      long from, long to, boolean full, List<StorageNode> nodes, List<Chain> chains) {
    var table = new ChainTable(TABLE, 1, List.of(10, 11, 12).stream().map(ChainId::new).toList());
    return new RoutingDelta(
        new RoutingVersion(from),
        new RoutingVersion(to),
        full,
        nodes,
        chains,
        full ? List.of(table) : List.of());
  }

  private static Routing first() {
    return Routing.EMPTY.apply(
        delta(
            0,
            5,
            true,
            List.of(node(1, "a", 10, 11), node(2, "b", 12)),
            List.of(chain(10, 1), chain(11, 1), chain(12, 1))));
  }

  @Test
  void aFullDeltaIsEverything() {
    Routing routing = first();
    assertEquals(new RoutingVersion(5), routing.version());
    assertEquals("b", routing.nodeOf(new TargetId(12)).orElseThrow().host());
    assertEquals(Optional.of(chain(11, 1)), routing.chain(new ChainId(11)));
    Routing next = routing.apply(delta(0, 9, true, List.of(), List.of(chain(10, 2))));
    assertEquals(Optional.empty(), next.chain(new ChainId(11)));
    assertEquals(Optional.empty(), next.nodeOf(new TargetId(12)));
  }

  @Test
  void aDeltaReplacesWhatItNamesAndKeepsTheRest() {
    Routing routing =
        first().apply(delta(5, 6, false, List.of(node(2, "c", 12)), List.of(chain(10, 2))));
    assertEquals("c", routing.nodeOf(new TargetId(12)).orElseThrow().host());
    assertEquals("a", routing.nodeOf(new TargetId(10)).orElseThrow().host());
    assertEquals(Optional.of(chain(10, 2)), routing.chain(new ChainId(10)));
    assertEquals(Optional.of(chain(11, 1)), routing.chain(new ChainId(11)));
  }

  @Test
  void anOldDeltaChangesNothing() {
    Routing routing = first();
    assertSame(routing, routing.apply(delta(0, 5, true, List.of(), List.of())));
    assertSame(routing, routing.apply(delta(2, 4, false, List.of(), List.of(chain(10, 9)))));
  }

  @Test
  void anOverlappingDeltaNeverTakesAChainBack() {
    Routing routing =
        first()
            .apply(delta(5, 6, false, List.of(), List.of(chain(10, 3))))
            .apply(delta(4, 7, false, List.of(), List.of(chain(10, 2))));
    assertEquals(Optional.of(chain(10, 3)), routing.chain(new ChainId(10)));
  }

  @Test
  void aGapIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> first().apply(delta(6, 7, false, List.of(), List.of())));
    assertThrows(IllegalArgumentException.class, () -> delta(7, 6, false, List.of(), List.of()));
  }

  @Test
  void chunksLieOnTheStripeInTurn() {
    Routing routing = first();
    var layout = new FileLayout(TABLE, 1, 1 << 16, 3, 0, 0); // order of the stripe: 2, 0, 1
    assertEquals(
        List.of(new ChainId(12), new ChainId(10), new ChainId(11)), routing.stripe(layout));
    for (int i = 0; i < 9; i++) {
      assertEquals(
          routing.stripe(layout).get(i % 3),
          routing.chainOf(layout, new ChunkId(new InodeId(1), i)));
    }
  }

  @Test
  void anUnknownTableIsNamed() {
    LuciolaException e =
        assertThrows(
            LuciolaException.class,
            () -> first().stripe(new FileLayout(TABLE, 2, 1 << 16, 3, 0, 0)));
    assertEquals(ErrorCode.NO_CHAIN_TABLE, e.code());
  }
}
