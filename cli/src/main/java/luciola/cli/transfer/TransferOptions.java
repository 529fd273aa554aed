package luciola.cli.transfer;

import picocli.CommandLine.Option;

/** Options of every command that copies trees; a mixin. */
public final class TransferOptions {
  private static final int PARALLEL_MAX = 256;

  @Option(
      names = {"-j", "--parallel"},
      paramLabel = "N",
      defaultValue = "32",
      description = "Files copied at once, 1 to 256 (${DEFAULT-VALUE}).")
  int parallel = 32;

  @Option(
      names = "--resume",
      description = "Leave out files that are there with the same length and time.")
  boolean resume;

  @Option(
      names = "--verify",
      description =
          "Read every copy back and compare its checksum with the source's (each transfer is"
              + " checksummed on its way in any case).")
  boolean verify;

  int parallel() {
    return Math.clamp(parallel, 1, PARALLEL_MAX);
  }
}
