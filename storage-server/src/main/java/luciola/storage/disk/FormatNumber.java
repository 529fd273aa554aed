package luciola.storage.disk;

import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** The number that says how a target lies on disk: one for the directory and its metadata. */
public final class FormatNumber {
  /**
   * What this code writes. 2: allocation and counts are stored beside the records; checksums are of
   * granules of 16 KiB. 3: metadata is made durable by the journal, not by the database's log.
   */
  public static final int CURRENT = 3;

  /** The oldest that this code reads; it becomes the current one when it is opened. */
  private static final int OLDEST = 2;

  private FormatNumber() {}

  /**
   * Refuses a number that this code does not read.
   *
   * @param where what has the number, as {@code name=value}
   * @throws LuciolaException FORMAT_TOO_NEW; UNSUPPORTED for an older one
   */
  public static void check(String where, long found) {
    if (found > CURRENT) {
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "written by a newer release: "
              + where
              + " format="
              + found
              + " known="
              + CURRENT
              + "; start that release or a newer one");
    }
    if (found < OLDEST) {
      throw new LuciolaException(
          ErrorCode.UNSUPPORTED,
          "written by an older release: "
              + where
              + " format="
              + found
              + " needed="
              + OLDEST
              + "; drain it with the release that wrote it, then give this one an empty directory");
    }
  }
}
