package luciola.cli.transfer;

import luciola.cli.terminal.CommandFailure;
import picocli.CommandLine.Option;

/** Options of every command that copies trees; a mixin. */
public class TransferOptions {
  private static final int PARALLEL_MAX = 256;
  private static final int PIECE_MIB_MAX = 1 << 20;

  /** For the command line. */
  public TransferOptions() {}

  @Option(
      names = {"-j", "--parallel"},
      paramLabel = "N",
      defaultValue = "32",
      description = "Files, and pieces of long files, copied at once, 1 to 256 (${DEFAULT-VALUE}).")
  int parallel = 32;

  @Option(
      names = "--piece-mib",
      paramLabel = "N",
      defaultValue = "64",
      description = "Files longer than N MiB are copied in pieces of it (${DEFAULT-VALUE}).")
  int pieceMib = 64;

  @Option(
      names = "--verify",
      description =
          "Read every copy back and compare its CRC32C with the source's (each transfer is"
              + " checksummed on its way in any case).")
  boolean verify;

  @Option(names = "--json", description = "Print the sums as JSON.")
  boolean json;

  /** What is there with the same length and time is left out, what was begun is gone on with. */
  boolean resume;

  /** Contents are compared, not only lengths and times. */
  boolean checksum;

  /** The target becomes like the source: attributes of what is there too. */
  boolean exact;

  /** What the source lacks goes. */
  boolean delete;

  /** Only said. */
  boolean dryRun;

  /** Refuses what cannot be; before anything is done. */
  public void check() {
    if (parallel < 1 || parallel > PARALLEL_MAX) {
      throw CommandFailure.wrongUse("--parallel is 1 to " + PARALLEL_MAX + ", not " + parallel);
    }
    if (pieceMib < 1 || pieceMib > PIECE_MIB_MAX) {
      throw CommandFailure.wrongUse("--piece-mib is 1 to " + PIECE_MIB_MAX + ", not " + pieceMib);
    }
  }

  /** Makes the target like the source. */
  public void exact(boolean byChecksum, boolean deleting, boolean onlySaid) {
    resume = true;
    exact = true;
    checksum = byChecksum;
    delete = deleting;
    dryRun = onlySaid;
  }

  long pieceBytes() {
    return (long) pieceMib << 20;
  }
}
