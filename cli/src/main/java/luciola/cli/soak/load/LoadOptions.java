package luciola.cli.soak.load;

/**
 * A load.
 *
 * @param root directory that its files lie in; made
 * @param seed of every choice that workers make
 * @param writers threads that write, each its own files
 * @param readers threads that read and compare
 * @param namers threads that make, rename and remove names, each in its own directory
 * @param filesPerWriter files at a time of each writer
 * @param sharedFiles files that all writers write, each its own blocks
 * @param fileBytesMax most bytes of a file
 * @param bytesPerSecond of all workers together
 * @param giveUpNanos how long an operation is tried again before its outcome counts as unknown
 * @param hangNanos an operation that is under way for longer is a violation
 */
public record LoadOptions(
    String root,
    long seed,
    int writers,
    int readers,
    int namers,
    int filesPerWriter,
    int sharedFiles,
    int fileBytesMax,
    long bytesPerSecond,
    long giveUpNanos,
    long hangNanos) {
  public LoadOptions {
    if (writers < 1
        || readers < 1
        || namers < 0
        || filesPerWriter < 1
        || sharedFiles < 0
        || fileBytesMax < 1 << 20
        || bytesPerSecond < 1 << 16
        || giveUpNanos < 1
        || hangNanos <= giveUpNanos) {
      throw new IllegalArgumentException(
          "load: writers="
              + writers
              + " readers="
              + readers
              + " namers="
              + namers
              + " filesPerWriter="
              + filesPerWriter
              + " sharedFiles="
              + sharedFiles
              + " fileBytesMax="
              + fileBytesMax
              + " bytesPerSecond="
              + bytesPerSecond
              + " giveUpNanos="
              + giveUpNanos
              + " hangNanos="
              + hangNanos);
    }
  }

  /** Three writers and three readers over some twenty files of a few MiB, and two namers. */
  public static LoadOptions of(String root, long seed) {
    return new LoadOptions(
        root, seed, 3, 3, 2, 5, 2, 3 << 20, 32L << 20, 240_000_000_000L, 300_000_000_000L);
  }

  /** The same at another rate. */
  public LoadOptions withRate(long newBytesPerSecond) {
    return new LoadOptions(
        root,
        seed,
        writers,
        readers,
        namers,
        filesPerWriter,
        sharedFiles,
        fileBytesMax,
        newBytesPerSecond,
        giveUpNanos,
        hangNanos);
  }

  /** The same with other numbers of threads and files. */
  public LoadOptions withSize(int newWriters, int newReaders, int newFilesPerWriter) {
    return new LoadOptions(
        root,
        seed,
        newWriters,
        newReaders,
        namers,
        newFilesPerWriter,
        sharedFiles,
        fileBytesMax,
        bytesPerSecond,
        giveUpNanos,
        hangNanos);
  }
}
