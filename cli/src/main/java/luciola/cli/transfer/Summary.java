package luciola.cli.transfer;

import java.util.List;

/**
 * What a copying command did, for {@code --json}.
 *
 * @param files copied
 * @param leftOut files that were there already
 * @param copiedBytes read on one side and written on the other
 * @param resumedBytes of files that an earlier run had begun
 * @param verified files that were read back and compared
 * @param changed whose attributes alone were set
 * @param deleted names that the source lacks, each with all below it
 * @param failed what could not be done, the first of them
 */
record Summary(
    String command,
    boolean dryRun,
    long files,
    long links,
    long directories,
    long leftOut,
    long copiedBytes,
    long leftOutBytes,
    long resumedBytes,
    long verified,
    long changed,
    long deleted,
    long failures,
    List<String> failed,
    double seconds) {}
