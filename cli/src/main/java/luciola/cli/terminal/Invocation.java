package luciola.cli.terminal;

import java.io.Console;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Where one run of the program takes place: its streams, environment and folder. Commands use this
 * instead of the JVM's globals, so that a test runs them in its own JVM.
 *
 * @param out what the command was asked for
 * @param err errors and progress
 * @param environment environment variables
 * @param directory the current folder; relative paths of the user are resolved against it
 * @param interactive whether {@code err} is a terminal
 */
public record Invocation(
    PrintStream out,
    PrintStream err,
    Map<String, String> environment,
    Path directory,
    boolean interactive) {

  /** The JVM's own streams and environment. */
  @SuppressWarnings("SystemConsoleNull") // It is null since JDK 25 again where it is no terminal.
  public static Invocation ofProcess() {
    Console console = System.console();
    return new Invocation(
        System.out,
        System.err,
        Map.copyOf(System.getenv()),
        Path.of("").toAbsolutePath(),
        console != null && console.isTerminal());
  }

  /** A path of the user's file system as given on the command line. */
  public Path resolve(Path path) {
    return directory.resolve(path).normalize();
  }

  /** An environment variable that is set and not empty. */
  public Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
  }
}
