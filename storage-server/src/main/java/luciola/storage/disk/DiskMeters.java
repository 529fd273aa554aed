package luciola.storage.disk;

/**
 * How long a disk takes.
 *
 * @param reads from the device itself, as scrub, repair and compaction do; reads through the page
 *     cache say nothing of the disk
 * @param writes past the page cache
 * @param flushes of a file
 */
public record DiskMeters(LatencyMeter reads, LatencyMeter writes, LatencyMeter flushes) {
  /** Nothing measured yet. */
  public static DiskMeters fresh() {
    return new DiskMeters(new LatencyMeter(), new LatencyMeter(), new LatencyMeter());
  }
}
