package luciola.loader.ring;

import luciola.protocol.error.ErrorCode;

/**
 * One operation as its owner put it into the ring: anything may be in it.
 *
 * @param operation {@link #READ}, {@link #WRITE} or {@link #SYNC}
 * @param file as its opening named it
 * @param offset in the file
 * @param place in the ring's memory for data
 * @param length unsigned
 * @param own comes back with the completion
 * @param reserved what is in the words that must be zero
 */
public record Submission(
    int operation, int file, long offset, long place, int length, long own, long reserved) {
  public static final int READ = 1;
  public static final int WRITE = 2;
  public static final int SYNC = 3;

  /** Fills {@code length} bytes of the ring's memory from a file; short at the file's end. */
  public static Submission read(int file, long offset, long place, int length, long own) {
    return new Submission(READ, file, offset, place, length, own, 0);
  }

  /** Writes {@code length} bytes of the ring's memory to a file. */
  public static Submission write(int file, long offset, long place, int length, long own) {
    return new Submission(WRITE, file, offset, place, length, own, 0);
  }

  /** Makes all writes of a file durable that were put into the ring before. */
  public static Submission sync(int file, long own) {
    return new Submission(SYNC, file, 0, 0, 0, own, 0);
  }

  /**
   * What is wrong with it, whatever files there are; OK if nothing is.
   *
   * @param dataBytes the ring's memory for data
   * @param bytesMax longest operation
   */
  ErrorCode check(long dataBytes, int bytesMax) {
    if (operation < READ || operation > SYNC) {
      return ErrorCode.UNSUPPORTED;
    }
    if (reserved != 0 || offset < 0) {
      return ErrorCode.INVALID_ARGUMENT;
    }
    if (operation == SYNC) {
      return (offset | place | length) == 0 ? ErrorCode.OK : ErrorCode.INVALID_ARGUMENT;
    }
    boolean inside =
        length >= 0
            && length <= bytesMax
            && offset <= Long.MAX_VALUE - length
            && place >= 0
            && place <= dataBytes - length;
    return inside ? ErrorCode.OK : ErrorCode.INVALID_ARGUMENT;
  }
}
