package luciola.cli.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import luciola.cli.LogSetup;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.local.JavaCommand;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.fuse.FuseSession;
import luciola.client.mount.LuciolaMount;
import luciola.client.mount.MountOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "mount",
    description = {
      "Mounts the cluster's files on a directory; needs root.",
      "Returns once they are there; a process in the background serves them until the directory is"
          + " unmounted."
    })
public final class MountCommand implements Callable<Integer> {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final long POLL_MILLIS = 20;
  private static final int LOG_LINES = 10;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Parameters(paramLabel = "DIR", description = "An empty directory of this machine.")
  private Path directory = Path.of("");

  @Option(
      names = "--foreground",
      description = "Serve in this process until it is told to end (SIGTERM, Ctrl-C) or unmounted.")
  private boolean foreground;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description =
          "Where the process in the background logs; by default below ~/.local/state/luciola.")
  private Optional<Path> log = Optional.empty();

  @Option(
      names = "--attribute-millis",
      paramLabel = "MS",
      description = "How late changes of other clients may be seen in names and attributes (1000).")
  private long attributeMillis = MountOptions.DEFAULTS.attributeTime().toMillis();

  @Option(
      names = "--direct",
      description =
          "Past the kernel's page cache: what is written is seen by other machines when the write"
              + " returns, what is read is not kept.")
  private boolean direct;

  public MountCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (foreground) {
      // Before anything that logs is touched.
      LogSetup.level(LogSetup.Level.INFO);
    }
    MountOptions options = options();
    Path where = MountPoint.check(invocation.resolve(directory));
    List<String> reached = cluster.arguments(invocation);
    return foreground ? serve(where, options) : inBackground(where, reached);
  }

  private MountOptions options() {
    try {
      return MountOptions.DEFAULTS
          .withAttributeTime(Duration.ofMillis(attributeMillis))
          .withDirect(direct);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.wrongUse("--attribute-millis: " + e.getMessage());
    }
  }

  private int serve(Path where, MountOptions options) throws IOException, InterruptedException {
    try (LuciolaFileSystem files = cluster.connect(connector.patient(), invocation)) {
      if (!(files instanceof ClusterFileSystem reached)) {
        throw CommandFailure.failed("only a cluster's files can be mounted");
      }
      try (LuciolaMount mount = LuciolaMount.mount(reached, where, options)) {
        Runtime.getRuntime().addShutdownHook(new Thread(mount::close, "unmount"));
        mount.await();
      }
    }
    return ExitCode.DONE;
  }

  private int inBackground(Path where, List<String> reached)
      throws IOException, InterruptedException {
    Path file = log.map(invocation::resolve).orElseGet(() -> defaultLog(where));
    Files.createDirectories(file.toAbsolutePath().getParent());
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "mount",
                where.toString(),
                "--foreground",
                "--attribute-millis=" + attributeMillis));
    if (direct) {
      arguments.add("--direct");
    }
    arguments.addAll(reached);
    Process process = JavaCommand.background(List.of("-Xmx512m"), arguments, file);
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!MountPoint.isOurs(where)) {
      if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        throw CommandFailure.failed("not mounted: " + where + "\n" + lastLines(file));
      }
      if (System.nanoTime() - deadline > 0) {
        process.destroy();
        var _ = FuseSession.unmount(where, true);
        throw CommandFailure.failed(
            "not mounted within " + START_TIMEOUT.toSeconds() + " s: " + where + "; see " + file);
      }
    }
    invocation
        .out()
        .println("mounted " + where + " (process " + process.pid() + ", log " + file + ")");
    return ExitCode.DONE;
  }

  private Path defaultLog(Path where) {
    Path state =
        invocation
            .variable("XDG_STATE_HOME")
            .map(Path::of)
            .orElseGet(() -> Path.of(System.getProperty("user.home"), ".local", "state"));
    String name = where.toString().substring(1).replace('/', '-');
    return state.resolve("luciola").resolve("mount-" + name + ".log");
  }

  private static String lastLines(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
  }
}
