package luciola.cli.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.LogSetup;
import luciola.cli.connection.ClusterFile;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.DataFolder;
import luciola.cli.operate.ClusterView;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code luciola local}: a cluster on this machine that runs in the background. */
@Command(name = "local", description = "A whole cluster on this machine, in the background.")
public final class LocalCommand implements Runnable {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration DOWN_TIMEOUT = Duration.ofSeconds(60);

  @CommandLine.Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new LocalCommand())
        .addSubcommand(new Up(invocation))
        .addSubcommand(new Down(invocation))
        .addSubcommand(new Status(invocation))
        .addSubcommand(new Run(invocation));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "which? local up, local down or local status");
    }
  }

  /** Where the cluster keeps everything. */
  abstract static class InFolder implements Callable<Integer> {
    private final Invocation invocation;

    @Option(
        names = "--data-dir",
        paramLabel = "DIR",
        description = "Where it keeps everything (./luciola-data).")
    private Path dataDir = ClusterOption.DATA_FOLDER;

    InFolder(Invocation invocation) {
      this.invocation = invocation;
    }

    Invocation invocation() {
      return invocation;
    }

    DataFolder folder() {
      return new DataFolder(invocation.resolve(dataDir));
    }

    /** How a command line names this folder. */
    String asOption() {
      return dataDir.equals(ClusterOption.DATA_FOLDER) ? "" : " --data-dir " + dataDir;
    }
  }

  /** What the cluster is made of. */
  abstract static class Starting extends InFolder {
    @Option(
        names = "--storage-servers",
        paramLabel = "N",
        defaultValue = "3",
        description = "Storage-servers, with a target each (${DEFAULT-VALUE}).")
    private int storageServers;

    @Option(
        names = "--replicas",
        paramLabel = "N",
        defaultValue = "0",
        description = "Copies of each chunk; 0: 3, or as many as there are storage-servers.")
    private int replicas;

    @Option(
        names = "--port",
        paramLabel = "N",
        defaultValue = "0",
        description =
            "The meta-server's port, the storage-servers' follow; 0: those of the last time, or"
                + " free ones.")
    private int port;

    @Option(names = "--processes", description = "A process for each server.")
    private boolean processes;

    @Option(
        names = "--timeout",
        paramLabel = "SECONDS",
        defaultValue = "90",
        description = "How long to wait until everything serves (${DEFAULT-VALUE}).")
    private int timeoutSeconds;

    Starting(Invocation invocation) {
      super(invocation);
    }

    LocalClusterOptions options() {
      try {
        return new LocalClusterOptions(
            folder().path(),
            processes,
            storageServers,
            replicas == 0 ? Math.min(3, storageServers) : replicas,
            true,
            port,
            Duration.ofSeconds(timeoutSeconds),
            false);
      } catch (IllegalArgumentException refused) {
        throw CommandFailure.wrongUse(String.valueOf(refused.getMessage()));
      }
    }

    /** The same options for the process in the background. */
    List<String> arguments() {
      List<String> arguments = new ArrayList<>(List.of("local", "run"));
      arguments.addAll(List.of("--data-dir", folder().path().toString()));
      arguments.addAll(List.of("--storage-servers", String.valueOf(storageServers)));
      arguments.addAll(List.of("--replicas", String.valueOf(replicas)));
      arguments.addAll(List.of("--port", String.valueOf(port)));
      arguments.addAll(List.of("--timeout", String.valueOf(timeoutSeconds)));
      if (processes) {
        arguments.add("--processes");
      }
      return arguments;
    }
  }

  @Command(
      name = "up",
      description =
          "Starts the cluster and returns when it serves; its data is kept over restarts.")
  static final class Up extends Starting {
    Up(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() throws IOException {
      LocalClusterOptions options = options();
      DataFolder folder = folder();
      if (folder.taken()) {
        invocation().out().println("already up in " + folder.path());
        return ExitCode.DONE;
      }
      long started = System.nanoTime();
      ClusterFile.read(folder.path());
      Files.createDirectories(folder.path());
      invocation().err().println("starting the cluster in " + folder.path() + " ...");
      Process process = JavaCommand.background(List.of("-Xmx2g"), arguments(), folder.log());
      await(process, folder, options);
      report(folder, System.nanoTime() - started);
      return ExitCode.DONE;
    }

    private static void await(Process process, DataFolder folder, LocalClusterOptions options)
        throws IOException {
      // The background process gives up by itself; this bound is for one that hangs.
      long deadline = System.nanoTime() + options.readyTimeout().toNanos() * 3;
      while (!folder.pid().equals(Optional.of(process.pid()))) {
        if (!process.isAlive()) {
          throw CommandFailure.failed(lastWords(folder.log()));
        }
        if (System.nanoTime() - deadline > 0) {
          process.destroyForcibly();
          throw CommandFailure.failed("it does not come up; see " + folder.log());
        }
        LockSupport.parkNanos(POLL.toNanos());
      }
    }

    private static String lastWords(Path log) throws IOException {
      return Files.readAllLines(log).stream()
          .filter(line -> line.startsWith("luciola: "))
          .reduce((_, last) -> last)
          .map(line -> line.substring("luciola: ".length()))
          .orElse("the cluster ended before it served; see " + log);
    }

    private void report(DataFolder folder, long nanos) {
      ClusterFile file = ClusterFile.read(folder.path()).orElseThrow();
      var out = invocation().out();
      out.printf(
          "up after %.1f s: meta-server %s, %d storage-servers, agent; data in %s%n",
          nanos / 1e9,
          String.join(",", file.metaServers()),
          file.addresses("storage-server").size(),
          folder.path());
      String cluster =
          asOption().isEmpty() ? "" : " --cluster " + String.join(",", file.metaServers());
      out.println("next:  luciola put" + cluster + " README.md /README.md");
      out.println("       luciola ls" + cluster + " -l /");
      out.println("       luciola local down" + asOption());
    }
  }

  /** The process in the background. */
  @Command(name = "run", hidden = true, description = "Runs the cluster in the foreground.")
  static final class Run extends Starting {
    Run(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
      LogSetup.level(LogSetup.Level.INFO);
      DataFolder folder = folder();
      LocalCluster cluster =
          LocalCluster.start(options(), step -> invocation().out().println(step));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(folder, cluster), "stop"));
      folder.writePid();
      invocation().out().println("serving");
      new CountDownLatch(1).await();
      return ExitCode.DONE;
    }

    private void stop(DataFolder folder, LocalCluster cluster) {
      try (cluster) {
        folder.removePid();
      } catch (IOException failure) {
        invocation().err().println("luciola: " + failure);
      }
    }
  }

  @Command(name = "down", description = "Stops the cluster; its data stays.")
  static final class Down extends InFolder {
    Down(Invocation invocation) {
      super(invocation);
    }

    @Override
    public Integer call() throws IOException {
      DataFolder folder = folder();
      if (!folder.taken()) {
        folder.removePid();
        invocation().out().println("not up in " + folder.path());
        return ExitCode.DONE;
      }
      ProcessHandle process =
          folder
              .pid()
              .flatMap(ProcessHandle::of)
              .orElseThrow(() ->
                  CommandFailure.failed(
                      "a cluster in " + folder.path() + " is starting; try again in a moment"));
      process.destroy();
      long deadline = System.nanoTime() + DOWN_TIMEOUT.toNanos();
      while (folder.taken()) {
        if (System.nanoTime() - deadline > 0) {
          process.destroyForcibly();
          throw CommandFailure.partial(
              "it did not stop within "
                  + DOWN_TIMEOUT.toSeconds()
                  + " s and was killed; acknowledged data is safe, see "
                  + folder.log());
        }
        LockSupport.parkNanos(POLL.toNanos());
      }
      invocation().out().println("down; its data stays in " + folder.path());
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "status",
      description = "Says whether the cluster runs; ends with 0 if all of it serves, 1 if none.")
  static final class Status extends InFolder {
    private static final long CALL_NANOS = 5_000_000_000L;

    @Option(names = "--json", description = "As one JSON object.")
    private boolean json;

    Status(Invocation invocation) {
      super(invocation);
    }

    private record State(boolean up, String folder, long pid, @Nullable ClusterView cluster) {}

    @Override
    public Integer call() throws IOException {
      DataFolder folder = folder();
      boolean up = folder.taken();
      Optional<ClusterView> view = up ? view(folder) : Optional.empty();
      if (json) {
        Json.print(
            invocation().out(),
            new State(up, folder.path().toString(), folder.pid().orElse(0L), view.orElse(null)));
      } else {
        invocation().out().println(line(folder, up, view));
      }
      if (!up) {
        return ExitCode.FAILED;
      }
      return view.filter(seen -> seen.chainsWhole() == seen.chains().size()).isPresent()
          ? ExitCode.DONE
          : ExitCode.PARTIAL;
    }

    private String line(DataFolder folder, boolean up, Optional<ClusterView> view)
        throws IOException {
      if (!up) {
        return "down; start it with luciola local up" + asOption();
      }
      String process = "up in " + folder.path() + ", pid " + folder.pid().orElse(0L);
      return view.map(seen ->
              process
                  + ": "
                  + seen.nodesAlive()
                  + " of "
                  + seen.nodes().size()
                  + " storage-servers live, "
                  + seen.chainsWhole()
                  + " of "
                  + seen.chains().size()
                  + " chains whole")
          .orElse(process + ": the meta-server does not answer");
    }

    private static Optional<ClusterView> view(DataFolder folder) {
      List<String> metaServers =
          ClusterFile.read(folder.path()).map(ClusterFile::metaServers).orElse(List.of());
      if (metaServers.isEmpty()) {
        return Optional.empty();
      }
      try (var meta =
          MetaConnection.connect(MetaOptions.of(metaServers).withCallNanos(CALL_NANOS))) {
        return Optional.of(ClusterView.of(meta.status()));
      } catch (LuciolaException _) {
        return Optional.empty();
      }
    }
  }
}
