package luciola.meta.cluster;

/**
 * Whose turn it is to remove garbage: one collector's from taking some until it drops it, so that
 * no two remove the same. A collector that is not heard of for a lease has lost its turn. Soft
 * state of the leader: after a change of leader two may work at the same for once, which does no
 * harm. Any thread.
 */
public final class GarbageTurn {
  private final long leaseNanos;

  /** The client whose turn it is; 0: anybody's. */
  private volatile long holder;

  private long heardNanos;

  /** Nobody's turn. */
  public GarbageTurn(long leaseNanos) {
    this.leaseNanos = leaseNanos;
  }

  /** A collector wants to take some; whether it is its turn from now on. */
  public synchronized boolean begins(long client, long nowNanos) {
    if (holder != 0 && holder != client && nowNanos - heardNanos <= leaseNanos) {
      return false;
    }
    holder = client;
    heardNanos = nowNanos;
    return true;
  }

  /** A client was heard of. */
  public void heard(long client, long nowNanos) {
    if (client == holder) {
      synchronized (this) {
        if (client == holder) {
          heardNanos = nowNanos;
        }
      }
    }
  }

  /** A collector has dropped what it took, or got nothing. */
  public synchronized void ends(long client) {
    if (client == holder) {
      holder = 0;
    }
  }
}
