package luciola.cli;

import java.io.PrintWriter;
import java.util.List;
import luciola.cli.connection.ClusterConnector;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point of the program. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    int exitCode = run(Invocation.ofProcess(), args);
    System.out.flush();
    System.exit(exitCode);
  }

  /** Runs one command line and returns its exit code. */
  public static int run(Invocation invocation, String... args) {
    return run(invocation, new ClusterConnector(), args);
  }

  /** Like {@link #run(Invocation, String...)}, with clusters reached by this connector. */
  static int run(Invocation invocation, Connector connector, String... args) {
    boolean verbose = invocation.variable("LUCIOLA_DEBUG").isPresent() || asksForMore(args);
    if (verbose) {
      LogSetup.level(LogSetup.Level.INFO);
    }
    CommandLine line = Commands.all(invocation, connector);
    line.setOut(new PrintWriter(invocation.out(), true, invocation.out().charset()));
    line.setErr(new PrintWriter(invocation.err(), true, invocation.err().charset()));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExitCodeExceptionMapper(Main::exitCodeOf);
    line.setParameterExceptionHandler((failure, _) -> wrongUse(invocation, failure));
    line.setExecutionExceptionHandler((failure, _, _) -> {
      report(invocation, failure, verbose);
      return exitCodeOf(failure);
    });
    return line.execute(args);
  }

  private static boolean asksForMore(String[] args) {
    return List.of(args).contains("--verbose");
  }

  private static int wrongUse(Invocation invocation, ParameterException failure) {
    CommandLine command = failure.getCommandLine();
    String name = command.getCommandSpec().qualifiedName(" ");
    String hint = "see " + name + " --help";
    if (failure instanceof UnmatchedArgumentException unmatched) {
      List<String> near = unmatched.getSuggestions();
      if (!near.isEmpty() && !unmatched.isUnknownOption()) {
        hint = "did you mean " + near.getFirst() + "? " + hint;
      }
    }
    invocation.err().println(name + ": " + ErrorLine.firstLine(wording(failure)) + "; " + hint);
    return ExitCode.WRONG_USE;
  }

  private static String wording(ParameterException failure) {
    if (failure instanceof UnmatchedArgumentException unmatched) {
      String first = unmatched.getUnmatched().getFirst();
      boolean hasCommands = !unmatched.getCommandLine().getSubcommands().isEmpty();
      return unmatched.isUnknownOption()
          ? "unknown option " + first
          : (hasCommands ? "unknown command " : "one argument too many: ") + first;
    }
    return ErrorLine.of(failure);
  }

  private static void report(Invocation invocation, Throwable failure, boolean verbose) {
    invocation.err().println("luciola: " + ErrorLine.of(failure));
    if (verbose) {
      failure.printStackTrace(invocation.err());
    }
  }

  private static int exitCodeOf(Throwable failure) {
    return failure instanceof CommandFailure command ? command.exitCode() : ExitCode.FAILED;
  }
}
