package luciola.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Command;

/**
 * Loads the classes that commands need, for the cache of linked classes that the launch script
 * makes: runs a few commands that find nothing.
 */
@Command(name = "warm-up", hidden = true, description = "Loads classes and ends.")
final class WarmUpCommand implements Callable<Integer> {
  /** Nobody listens on the discard port of this machine. */
  private static final String NOBODY = "127.0.0.1:9";

  @Override
  public Integer call() {
    var silent = new PrintStream(PrintStream.nullOutputStream());
    var invocation = new Invocation(silent, silent, Map.of(), Path.of("").toAbsolutePath(), false);
    int outcomes =
        Main.run(invocation, "ls", "--help")
            | Main.run(invocation, "ls", "-l", "/", "--cluster", NOBODY)
            | Main.run(invocation, "status", "--cluster", NOBODY)
            | Main.run(invocation, "local", "status");
    return outcomes < 0 ? ExitCode.FAILED : ExitCode.DONE;
  }
}
