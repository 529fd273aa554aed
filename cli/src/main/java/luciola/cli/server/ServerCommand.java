package luciola.cli.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import luciola.cli.LogSetup;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs one server until the process is told to end (SIGTERM, Ctrl-C). */
@Command(mixinStandardHelpOptions = true)
public final class ServerCommand implements Callable<Integer> {
  private final Invocation invocation;
  private final ServerKind kind;

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "Its settings, as TOML; unknown keys are refused.")
  private Path config = Path.of("");

  @Option(
      names = "--until-eof",
      hidden = true,
      description = "End when standard input does: a server does not outlive who started it.")
  private boolean untilEof;

  private ServerCommand(Invocation invocation, ServerKind kind) {
    this.invocation = invocation;
    this.kind = kind;
  }

  /** The command that runs a server of this kind. */
  public static CommandLine of(Invocation invocation, ServerKind kind) {
    var line = new CommandLine(new ServerCommand(invocation, kind));
    line.getCommandSpec().name(kind.commandName());
    line.getCommandSpec()
        .usageMessage()
        .description("Runs a " + kind.commandName() + " in the foreground.");
    return line;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    LogSetup.level(LogSetup.Level.INFO);
    if (untilEof) {
      Thread.ofPlatform().daemon().name("until-eof").start(ServerCommand::exitAtEof);
    }
    RunningServer server = Servers.start(kind, invocation.resolve(config));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server), "stop"));
    log().info("{} ready address={}", kind.commandName(), server.address());
    new CountDownLatch(1).await();
    return ExitCode.DONE;
  }

  private void stop(RunningServer server) {
    log().info("{} stopping", kind.commandName());
    server.close();
    log().info("{} stopped", kind.commandName());
  }

  /** Made late: the level of logging is set first. */
  private static Logger log() {
    return LoggerFactory.getLogger(ServerCommand.class);
  }

  private static void exitAtEof() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException _) {
      // A broken pipe is an end as well.
    }
    System.exit(ExitCode.DONE);
  }
}
