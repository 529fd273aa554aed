package luciola.client.fuse;

/** Numbers of the protocol that a handler uses. */
public final class FuseNumbers {
  /** The root's node. */
  public static final long ROOT = 1;

  /** To an open: reads and writes pass the page cache. */
  public static final int OPEN_DIRECT = 1;

  /** To an open: what the page cache holds of the file is still right. */
  public static final int OPEN_KEEP_CACHE = 1 << 1;

  /** To an open: there is no position. */
  public static final int OPEN_STREAM = 1 << 4;

  /** To an open: no flush is wanted when a descriptor is closed. */
  public static final int OPEN_NO_FLUSH = 1 << 5;

  /** To an open: writes past the page cache may run beside each other. */
  public static final int OPEN_PARALLEL_WRITES = 1 << 6;

  /** To an open of a directory: what is cached of it is still right. */
  public static final int OPEN_CACHE_DIRECTORY = 1 << 3;

  /** Bytes of an entry in a page of a directory before its name. */
  static final int ENTRY_BYTES = 24;

  /** Bytes of what comes before an entry in a page with attributes. */
  static final int ENTRY_OUT_BYTES = 128;

  private FuseNumbers() {}
}
