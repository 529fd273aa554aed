package luciola.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import luciola.cli.connection.ClusterConnector;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.Invocation;

/** Runs commands in this JVM and keeps what they print. */
public final class Run {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final Map<String, String> environment = new HashMap<>();
  private Path directory = Path.of("").toAbsolutePath();

  private final Connector connector;

  /** With clusters reached as the program reaches them. */
  public Run() {
    this(new ClusterConnector());
  }

  /** With clusters reached by this connector. */
  public Run(Connector connector) {
    this.connector = connector;
  }

  /** Commands see {@code directory} as the current one. */
  public Run in(Path directory) {
    this.directory = directory;
    return this;
  }

  /** Commands see this environment variable. */
  public Run with(String name, String value) {
    environment.put(name, value);
    return this;
  }

  public Invocation invocation() {
    return new Invocation(
        new PrintStream(out, true, UTF_8),
        new PrintStream(err, true, UTF_8),
        Map.copyOf(environment),
        directory,
        false);
  }

  /** Runs a command and returns its exit code; what earlier ones printed is forgotten. */
  public int command(String... args) {
    out.reset();
    err.reset();
    return Main.run(invocation(), connector, args);
  }

  public String out() {
    return out.toString(UTF_8);
  }

  public String err() {
    return err.toString(UTF_8);
  }

  public byte[] outBytes() {
    return out.toByteArray();
  }
}
