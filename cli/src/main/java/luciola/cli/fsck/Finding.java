package luciola.cli.fsck;

import java.util.Locale;

/**
 * One thing that is wrong.
 *
 * @param kind what, as scripts know it
 * @param inode the inode that it is about; 0: none
 * @param chain the chain that it is about; 0: none
 * @param chunk the chunk's index in its file; -1: none
 * @param detail what is wrong, in words
 */
record Finding(String kind, long inode, int chain, int chunk, String detail) {
  /** What came of it. */
  enum Outcome {
    FOUND,
    REPAIRED,
    LEFT;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  String line() {
    return kind
        + (inode == 0 ? "" : " inode=" + inode)
        + (chunk < 0 ? "" : " chunk=" + chunk)
        + (chain == 0 ? "" : " chain=" + chain)
        + ": "
        + detail;
  }
}
