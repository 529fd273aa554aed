package luciola.client.fuse;

/**
 * A range of a file that is locked.
 *
 * @param first byte
 * @param last byte, {@link Long#MAX_VALUE} for all there ever will be
 * @param type F_RDLCK 0, F_WRLCK 1, F_UNLCK 2
 * @param pid of the program that has it, as the kernel shows it
 */
public record FuseLock(long first, long last, int type, int pid) {
  /** Shared. */
  public static final int READ = 0;

  /** Exclusive. */
  public static final int WRITE = 1;

  /** None. */
  public static final int NONE = 2;
}
