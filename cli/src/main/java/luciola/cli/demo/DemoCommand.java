package luciola.cli.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import luciola.cli.connection.Connector;
import luciola.cli.local.LocalCluster;
import luciola.cli.local.LocalClusterOptions;
import luciola.cli.source.FileSource;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "The whole system on this machine, checked as it goes: starts a cluster (meta-server, three"
          + " storage-servers, agent), imports real files, packs a dataset, trains a language model on"
          + " it with checkpoints and EMA, kills a storage-server on the way, restores, verifies.",
      "Ends with 0 only if every claim was checked and holds."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final String JDK_SOURCES = "lib/src.zip";

  private final Invocation invocation;
  private final Connector connector;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "What to import: a directory, a tar, a zip or a file. By default the sources of the JDK.")
  private @Nullable Path data;

  @Option(names = "--quick", description = "A small share of the data, a smaller model: for tests.")
  private boolean quick;

  @Option(names = "--in-process", description = "All servers in this JVM instead of processes.")
  private boolean inProcess;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where the cluster's data goes; by default a new folder that is removed.")
  private @Nullable Path directory;

  @Option(names = "--keep", description = "Keep the cluster's data and logs.")
  private boolean keep;

  public DemoCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    FileSource source = source();
    Path folder = folder();
    var screen = new Screen(invocation);
    var checks = new Checks();
    boolean done = false;
    try {
      run(source, folder, screen, checks);
      done = checks.allHold(Demo.CLAIMS);
    } finally {
      if (done && !keep) {
        DemoFolder.remove(folder);
      } else {
        invocation.out().println("data and logs are in " + folder);
      }
    }
    if (!done) {
      throw CommandFailure.failed("the demo failed: see the checks marked NO");
    }
    return ExitCode.DONE;
  }

  private void run(FileSource source, Path folder, Screen screen, Checks checks)
      throws IOException, InterruptedException {
    screen.heading(
        "Starting a cluster: meta-server, three storage-servers, agent, "
            + (inProcess ? "in this JVM" : "as processes of their own"));
    LocalClusterOptions options =
        inProcess ? LocalClusterOptions.inThisJvm(folder) : LocalClusterOptions.asProcesses(folder);
    try (LocalCluster cluster = LocalCluster.start(options.forMinutes(), screen::line);
        LuciolaFileSystem files = connector.connect(cluster.metaServers())) {
      screen.line("meta-server at " + cluster.metaServers() + ", data in " + folder);
      var demo =
          new Demo(
              cluster,
              !inProcess,
              files,
              source,
              quick ? DemoPlan.QUICK : DemoPlan.FULL,
              screen,
              checks,
              folder);
      try {
        demo.run();
      } finally {
        summary(demo, screen, checks);
      }
    }
  }

  private void summary(Demo demo, Screen screen, Checks checks) {
    screen.heading("Summary");
    PrintStream out = invocation.out();
    demo.rates().forEach(line -> out.println("  " + line));
    out.println();
    for (Checks.Check check : checks.all()) {
      out.println((check.holds() ? "  yes  " : "  NO   ") + check.claim());
      if (!check.holds()) {
        out.println("         " + check.seen());
      }
    }
    int made = checks.all().size();
    if (made < Demo.CLAIMS) {
      out.println("  NO   " + (Demo.CLAIMS - made) + " claims were not reached");
    }
    out.flush();
  }

  private FileSource source() {
    Path chosen = data;
    if (chosen != null) {
      return FileSource.open(invocation.resolve(chosen));
    }
    Path sources = Path.of(System.getProperty("java.home"), JDK_SOURCES);
    if (Files.isReadable(sources)) {
      return FileSource.open(sources);
    }
    Path documents = Path.of("/usr/share/doc");
    if (Files.isDirectory(documents)) {
      return FileSource.open(documents);
    }
    throw CommandFailure.wrongUse("this JDK has no sources: name something to import with --data");
  }

  private Path folder() throws IOException {
    Path chosen = directory;
    if (chosen == null) {
      return Files.createTempDirectory("luciola-demo-");
    }
    Path folder = invocation.resolve(chosen);
    Files.createDirectories(folder);
    try (var content = Files.list(folder)) {
      if (content.findAny().isPresent()) {
        throw CommandFailure.wrongUse("--dir must be empty or not exist: " + folder);
      }
    }
    return folder;
  }
}
