package luciola.cli.transfer;

/**
 * What a name stands for on one side of a copy.
 *
 * @param bytes length of a file
 * @param mode permission bits, 0 … 07777
 * @param modifiedNanos since 1970
 * @param key tells it from every other inode of that side
 */
record Found(Kind kind, long bytes, int mode, long modifiedNanos, String key) {
  /** What can be copied, and what cannot. */
  enum Kind {
    FILE,
    DIRECTORY,
    LINK,
    OTHER
  }

  boolean isDirectory() {
    return kind == Kind.DIRECTORY;
  }

  /** A file as it was, as far as one can tell without reading it. */
  boolean looksLike(Found other) {
    return kind == other.kind && bytes == other.bytes && modifiedNanos == other.modifiedNanos;
  }
}
