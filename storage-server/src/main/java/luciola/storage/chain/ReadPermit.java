package luciola.storage.chain;

import luciola.protocol.frame.ReadRequest;

/**
 * What a replica allows others to serve without asking it, as of one moment: the part of {@link
 * ReadGate}'s rule that needs no decision. Immutable; the shell publishes the newest one after each
 * step, before it executes the step's effects.
 *
 * <p>Any thread may serve a range from the committed version of a chunk if, in this order,
 *
 * <ol>
 *   <li>it takes a permit that {@link #mayServe serves} the range,
 *   <li>it looks into the engine, finds nothing pending of the chunk, and holds the committed
 *       version,
 *   <li>it takes the newest permit again, reads the clock, and the two permits {@link #covers
 *       cover} what it found.
 * </ol>
 *
 * <p>Why that is linearizable: the read takes effect at step 2. The replica served then, under a
 * lease that had not ended: within one chain version a replica stops to serve at most once, so two
 * permits of the same version that both serve have nothing between them. A version newer than the
 * committed one would be durable at every serving member before it could be committed anywhere,
 * this one included, and so would have been found pending.
 *
 * @param chainVersion by which the replica acts
 * @param serves whether it is a serving member in that version
 * @param leaseUntilNanos end of its lease, monotonic clock; without meaning if it does not serve
 */
public record ReadPermit(int chainVersion, boolean serves, long leaseUntilNanos) {
  /** Allows nothing. */
  public static final ReadPermit NONE = new ReadPermit(0, false, 0);

  /** Whether a range may be served at all; one that knows of a newer chain version may not. */
  public boolean mayServe(ReadRequest.Range range) {
    return serves && range.chainVersion().value() <= chainVersion;
  }

  /** Whether what was found between taking the two permits may be served. */
  public static boolean covers(ReadPermit before, ReadPermit after, long nowNanos) {
    return before.serves
        && after.serves
        && before.chainVersion == after.chainVersion
        && nowNanos - after.leaseUntilNanos < 0;
  }
}
