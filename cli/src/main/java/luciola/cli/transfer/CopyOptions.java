package luciola.cli.transfer;

import picocli.CommandLine.Option;

/** Options of {@code put}, {@code get} and {@code cp}; a mixin. */
public final class CopyOptions extends TransferOptions {
  /** For the command line. */
  public CopyOptions() {}

  @Option(
      names = "--resume",
      description =
          "Go on where an earlier copy ended: leave out files that are there with the same length"
              + " and time, and pieces of a long file that are there.")
  private boolean resuming;

  @Override
  public void check() {
    super.check();
    resume = resuming;
  }
}
