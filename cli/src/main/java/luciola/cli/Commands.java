package luciola.cli;

import luciola.cli.terminal.Invocation;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The tree of commands, built by hand. */
final class Commands {
  private Commands() {}

  /** Everything the program can do. */
  static CommandLine all(Invocation invocation) {
    var root = new CommandLine(new Luciola());
    root.addSubcommand(new VersionCommand(invocation));
    root.addSubcommand(new WarmUpCommand());
    return root;
  }

  @Command(
      name = "luciola",
      mixinStandardHelpOptions = true,
      scope = ScopeType.INHERIT,
      versionProvider = Version.class,
      description = "A parallel file system and data loader for training clusters.",
      synopsisSubcommandLabel = "COMMAND",
      exitCodeOnInvalidInput = 2,
      exitCodeOnExecutionException = 1)
  static final class Luciola implements Runnable {
    @Option(
        names = "--verbose",
        scope = ScopeType.INHERIT,
        description = "Log what happens and show stack traces of errors.")
    boolean verbose;

    @picocli.CommandLine.Spec
    picocli.CommandLine.Model.@org.jspecify.annotations.Nullable CommandSpec spec;

    @Override
    public void run() {
      if (spec != null) {
        spec.commandLine().usage(spec.commandLine().getOut());
      }
    }
  }
}
