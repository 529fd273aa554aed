package luciola.cli;

import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import picocli.CommandLine.Command;

/** Loads the classes that commands need, for the archive that the launch script makes. */
@Command(name = "warm-up", hidden = true, description = "Loads classes and ends.")
final class WarmUpCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return ExitCode.DONE;
  }
}
