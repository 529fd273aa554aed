package luciola.loader.ring;

/**
 * Limits of rings.
 *
 * @param entriesMax most operations of one ring under way: a power of two, 32768 at most
 * @param operationBytesMax longest read or write of one entry
 * @param filesMax files that the owner of one ring has open at once
 * @param requestsMax opens and closes of one ring in progress at once
 * @param spinNanos how long the agent looks for more entries before it sleeps; 0: not at all. Saves
 *     the owner's system calls for a core's time
 */
public record RingConfiguration(
    int entriesMax, int operationBytesMax, int filesMax, int requestsMax, long spinNanos) {
  private static final int ENTRIES_MAX = 1 << 15;
  private static final long SPIN_NANOS_MAX = 1_000_000_000;

  /** 4096 entries of up to 64 MiB, 1024 files. */
  public static final RingConfiguration DEFAULTS =
      new RingConfiguration(4096, 64 << 20, 1024, 64, 0);

  public RingConfiguration {
    if (Integer.bitCount(entriesMax) != 1 || entriesMax < 1 || entriesMax > ENTRIES_MAX) {
      throw new IllegalArgumentException(
          "rings.entriesMax must be a power of two up to " + ENTRIES_MAX + ": " + entriesMax);
    }
    if (operationBytesMax < 1 || filesMax < 1 || requestsMax < 1) {
      throw new IllegalArgumentException("limits of rings must be positive");
    }
    if (spinNanos < 0 || spinNanos > SPIN_NANOS_MAX) {
      throw new IllegalArgumentException(
          "rings.spinNanos must be 0 … " + SPIN_NANOS_MAX + ": " + spinNanos);
    }
  }
}
