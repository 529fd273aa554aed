package luciola.cli.soak.load;

/**
 * Which block it is.
 *
 * @param run number of the load that writes it
 * @param file number of the file's life: a file that is made again under the same name has another
 * @param offset of its first byte in the file
 * @param bytes its length, {@link #BYTES_MIN} …
 */
public record BlockPlace(long run, long file, long offset, int bytes) {
  /** The header alone. */
  public static final int BYTES_MIN = 48;

  public BlockPlace {
    if (offset < 0 || bytes < BYTES_MIN) {
      throw new IllegalArgumentException("no block: offset=" + offset + " bytes=" + bytes);
    }
  }
}
