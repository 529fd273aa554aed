package luciola.meta.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

final class HeardClientsTest {
  private static final long TIMEOUT = 100;

  private final HeardClients clients = new HeardClients(TIMEOUT, 0);
  private final List<Long> known = List.of(1L, 2L, 3L);

  private List<Long> goneAt(long now) {
    return clients.gone(known, 10, now);
  }

  @Test
  void whoIsSilentForTheTimeoutIsGone() {
    clients.heard(1, 10);
    clients.heard(2, 60);
    assertEquals(List.of(), goneAt(40));
    assertEquals(List.of(), goneAt(80));
    assertEquals(List.of(3L), goneAt(101));
    assertEquals(List.of(1L, 3L), goneAt(111));
    assertEquals(List.of(1L), clients.gone(known, 1, 112));
    assertFalse(clients.heard(1, 115));
    assertTrue(clients.heard(2, 115));
    clients.ended(List.of(1L, 3L));
    assertTrue(clients.heard(1, 116));
    assertEquals(List.of(3L), goneAt(120));
  }

  @Test
  void aNewLeaderGivesEverybodyTheWholeTimeout() {
    clients.heard(1, 10);
    clients.leads(200);
    assertEquals(List.of(), goneAt(240));
    assertEquals(List.of(), goneAt(280));
    assertEquals(List.of(), goneAt(300));
    assertEquals(known, goneAt(301));
  }

  @Test
  void aLeaderThatWasHeldTakesNobodyForGoneBecauseOfThat() {
    clients.heard(1, 10);
    assertEquals(List.of(), goneAt(20));
    assertEquals(List.of(), goneAt(1000));
    clients.heard(2, 1010);
    assertEquals(List.of(), goneAt(1050));
    assertEquals(List.of(), goneAt(1100));
    assertEquals(List.of(1L, 3L), goneAt(1101));
  }
}
