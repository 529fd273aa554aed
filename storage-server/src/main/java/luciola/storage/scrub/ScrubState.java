package luciola.storage.scrub;

/**
 * What to report of a target's scrub.
 *
 * @param bytesDone of the pass under way; 0 between two passes
 * @param bytesTotal of the pass under way; 0 between two passes
 * @param passes whole passes since the target was opened
 * @param lastPassAgeNanos since the last whole pass ended; -1 if none has
 * @param found bad chunks found since the target was opened
 * @param repaired how many of them were repaired from another replica
 */
public record ScrubState(
    long bytesDone,
    long bytesTotal,
    long passes,
    long lastPassAgeNanos,
    long found,
    long repaired) {
  /** Nothing was done yet. */
  public static final ScrubState NONE = new ScrubState(0, 0, 0, -1, 0, 0);
}
