package luciola.cli;

import java.util.concurrent.Callable;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Command;

@Command(name = "version", description = "Prints the release.")
final class VersionCommand implements Callable<Integer> {
  private final Invocation invocation;

  VersionCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    invocation.out().println(new Version().getVersion()[0]);
    return ExitCode.DONE;
  }
}
