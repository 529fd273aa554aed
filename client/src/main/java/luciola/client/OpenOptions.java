package luciola.client;

/**
 * How to open a file for writing.
 *
 * @param create make the file if it is missing (else NOT_FOUND)
 * @param exclusive with create: EXISTS if the file is there
 * @param truncate cut an existing file to length 0
 * @param mode permission bits of a file that is made
 * @param chunkBytes chunk size of a file that is made, a power of two from 64 KiB to 64 MiB; 0 for
 *     the default of the directory
 * @param stripe number of chains of a file that is made; 0 for the default
 */
public record OpenOptions(
    boolean create, boolean exclusive, boolean truncate, int mode, int chunkBytes, int stripe) {
  /** Make the file, or cut the existing one. */
  public static final OpenOptions CREATE = new OpenOptions(true, false, true, 0644, 0, 0);

  /** Make the file; EXISTS if it is there. */
  public static final OpenOptions CREATE_NEW = new OpenOptions(true, true, false, 0644, 0, 0);

  /** Write to an existing file. */
  public static final OpenOptions EXISTING = new OpenOptions(false, false, false, 0644, 0, 0);

  public OpenOptions {
    if (exclusive && !create) {
      throw new IllegalArgumentException("exclusive needs create");
    }
    if (chunkBytes != 0
        && (Integer.bitCount(chunkBytes) != 1 || chunkBytes < 1 << 16 || chunkBytes > 1 << 26)) {
      throw new IllegalArgumentException(
          "chunkBytes must be 0 or a power of two from 65536 to 67108864: chunkBytes="
              + chunkBytes);
    }
    if (stripe < 0) {
      throw new IllegalArgumentException("stripe must be non-negative: stripe=" + stripe);
    }
  }
}
