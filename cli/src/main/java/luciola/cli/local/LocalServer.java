package luciola.cli.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import luciola.cli.connection.ClusterFile;
import luciola.cli.server.RunningServer;
import luciola.cli.server.ServerKind;
import luciola.cli.server.Servers;
import luciola.cli.terminal.CommandFailure;
import org.jspecify.annotations.Nullable;

/** One server of a local cluster and how it runs at the moment. Used by one thread at a time. */
final class LocalServer {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

  private final String name;
  private final ServerKind kind;
  private final String address;
  private final Path config;
  private final Path log;
  private final boolean ownProcess;
  private final List<String> jvmOptions;
  private @Nullable RunningServer here;
  private @Nullable Process process;

  LocalServer(
      String name, ServerKind kind, String address, Path folder, LocalClusterOptions options) {
    this.name = name;
    this.kind = kind;
    this.address = address;
    this.config = folder.resolve("config.toml");
    this.log = folder.resolve("server.log");
    this.ownProcess = options.processes();
    this.jvmOptions =
        options.shortLived() ? List.of("-Xmx1g", "-XX:TieredStopAtLevel=1") : List.of("-Xmx1g");
  }

  String name() {
    return name;
  }

  ServerKind kind() {
    return kind;
  }

  Path config() {
    return config;
  }

  ClusterFile.Role role() {
    long pid = process == null ? ProcessHandle.current().pid() : process.pid();
    return new ClusterFile.Role(name, kind.commandName(), address, pid);
  }

  void start() throws IOException {
    if (ownProcess) {
      process =
          JavaCommand.child(
              jvmOptions,
              List.of(kind.commandName(), "--config", config.toString(), "--until-eof"),
              log);
    } else {
      here = Servers.start(kind, config);
    }
  }

  /**
   * Fails if the process has ended by itself.
   *
   * @throws CommandFailure with the last thing it said
   */
  void checkAlive() {
    Process started = process;
    if (started != null && !started.isAlive()) {
      String said =
          lastLine().map(line -> line.replaceFirst("^luciola: ", "")).orElse("see " + log);
      throw CommandFailure.failed(
          name + " ended with exit code " + started.exitValue() + ": " + said);
    }
  }

  private Optional<String> lastLine() {
    try {
      return Files.readAllLines(log).stream()
          .filter(line -> !line.isBlank())
          .filter(line -> line.startsWith("luciola: ") || !line.startsWith("\t"))
          .reduce((_, last) -> last);
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** SIGKILL: the server has no chance to do anything. Only where it is a process. */
  void kill() throws InterruptedException {
    Process started = process;
    if (started == null) {
      throw new IllegalStateException(name + " is no process of its own");
    }
    started.destroyForcibly().waitFor();
  }

  /** Tells a process to end, without waiting for it. */
  void askToStop() {
    Process started = process;
    if (started != null) {
      started.destroy();
    }
  }

  /** Clean stop; SIGKILL after a while. */
  void stop() throws InterruptedException {
    RunningServer running = here;
    if (running != null) {
      here = null;
      running.close();
    }
    Process started = process;
    if (started != null) {
      started.destroy();
      if (!started.waitFor(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        started.destroyForcibly().waitFor();
      }
    }
  }
}
