package luciola.client.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LockLeaseTest {
  private final LockLease lease = new LockLease();

  @Test
  void aLockIsBelievedInOnlyAfterARenewalNamedItsSession() {
    assertTrue(lease.granted(5));
    assertFalse(lease.holds(5, 10));
    lease.renewed(5, 5, 100);
    assertFalse(lease.granted(5));
    assertTrue(lease.holds(5, 99));
    assertFalse(lease.holds(5, 100));
    assertFalse(lease.isLost(5));
    lease.renewed(5, 5, 200);
    lease.renewed(5, 5, 150);
    assertTrue(lease.holds(5, 199));
  }

  @Test
  void aRenewalThatNamesNoneEndsIt() {
    assertTrue(lease.granted(5));
    lease.renewed(5, 5, 100);
    lease.renewed(5, 0, 300);
    assertTrue(lease.isLost(5));
    assertFalse(lease.holds(5, 10));
    assertEquals(0, lease.session());
  }

  @Test
  void anotherSessionEndsTheFormer() {
    assertTrue(lease.granted(5));
    lease.renewed(5, 5, 100);
    assertTrue(lease.granted(7));
    assertTrue(lease.isLost(5));
    assertFalse(lease.holds(7, 10));
    lease.renewed(7, 7, 200);
    assertTrue(lease.holds(7, 10));
    assertFalse(lease.holds(5, 10));
    // By a renewal that comes before the answer to the lock.
    lease.renewed(7, 9, 300);
    assertTrue(lease.isLost(7));
    assertFalse(lease.granted(9));
    assertTrue(lease.holds(9, 299));
  }

  /** It was read before the lock was granted, and says nothing of it. */
  @Test
  void aLateRenewalDoesNotEndANewerSession() {
    assertTrue(lease.granted(5));
    lease.renewed(0, 0, 100);
    assertFalse(lease.isLost(5));
    lease.renewed(5, 5, 100);
    assertTrue(lease.granted(7));
    lease.renewed(5, 0, 200);
    assertFalse(lease.isLost(7));
    assertFalse(lease.holds(7, 10));
  }
}
