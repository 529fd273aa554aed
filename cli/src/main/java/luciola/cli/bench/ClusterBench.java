package luciola.cli.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A bench of one client and a cluster. */
abstract class ClusterBench implements Callable<Integer> {
  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final CaseOptions options = new CaseOptions();

  @Mixin private final MeasuredCluster cluster = new MeasuredCluster();

  @Option(
      names = "--in-process",
      description = "Its own cluster runs in this process, not in processes of its own.")
  private boolean inProcess;

  @Option(
      names = "--replicas",
      split = ",",
      paramLabel = "N",
      description =
          "Copies of each chunk in its own cluster, 1 to 3, several separated by commas; of a"
              + " cluster that runs: how many share the disk that is measured.")
  private List<Integer> replicas = List.of();

  @Option(
      names = "--file-mib",
      paramLabel = "N",
      defaultValue = "512",
      description = "Size of what is read or written over and over (${DEFAULT-VALUE}).")
  private int fileMib;

  ClusterBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  /** Cases for one number of replicas. */
  abstract List<BenchCase> cases(CaseOptions options, int replicas);

  /** What is done before the first case. */
  void prepare(BenchCluster on, long fileBytes) throws IOException {}

  abstract Load load(BenchCluster on, BenchCase of, long fileBytes);

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<Integer> copies = replicas.isEmpty() ? List.of(3) : replicas;
    if (fileMib < 64 || copies.stream().anyMatch(each -> each < 1 || each > 3)) {
      throw CommandFailure.wrongUse("--file-mib is at least 64, --replicas are 1 to 3");
    }
    if (cluster.runsAlready() && (inProcess || copies.size() > 1)) {
      throw CommandFailure.wrongUse(
          "with --cluster there is no --in-process and one number of --replicas");
    }
    var report = new Report(invocation, options.json());
    for (int each : copies) {
      List<BenchCase> cases = cases(options, each);
      try (BenchCluster on = open(each)) {
        run(on, cases, report);
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open(int copies) throws IOException, InterruptedException {
    return cluster.open(
        invocation,
        connector,
        () ->
            BenchCluster.start(
                options.directory(invocation),
                inProcess,
                copies,
                connector,
                line -> invocation.err().println(line)));
  }

  private void run(BenchCluster on, List<BenchCase> cases, Report report) throws IOException {
    long fileBytes = (long) fileMib << 20;
    prepare(on, fileBytes);
    Meter meter = options.meter(invocation, new CpuMeter(on.processes()));
    for (BenchCase each : cases) {
      if (each.busier().isPresent()) {
        try (Load busier = load(on, each.busier().get(), fileBytes)) {
          meter.warmUp(busier);
        }
      }
      try (Load load = load(on, each, fileBytes)) {
        report.add(meter.measure(each, load));
      }
    }
  }
}
