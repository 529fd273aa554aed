package luciola.cli.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luciola bench mount}: the same load through a mount and through the Java API. */
@Command(
    name = "mount",
    description = {
      "The same reads and writes through a mount and through the Java API, in turns, on one"
          + " cluster; needs root.",
      "As many programs as --depth says each have one request at a time; the Java API has as many"
          + " in flight. The kernel's page cache is dropped before a file is read again."
    })
final class MountBench implements Callable<Integer> {
  private static final int ROUNDS = 3;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final CaseOptions options = new CaseOptions();

  @Mixin private final MeasuredCluster cluster = new MeasuredCluster();

  @Mixin private final ComparisonOptions comparison = new ComparisonOptions();

  @Option(
      names = "--direct",
      description = "With --size and the like: past the kernel's page cache (O_DIRECT).")
  private boolean direct;

  @Option(
      names = "--direct-mount",
      description = "The mount itself passes the page cache: luciola mount --direct.")
  private boolean directMount;

  MountBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  /** What is measured, and how programs open their files. */
  private record MountCase(BenchCase of, LocalFile.Way way) {
    String label() {
      return of.label() + (way == LocalFile.Way.DIRECT ? ".direct" : "");
    }
  }

  private List<MountCase> cases() {
    List<BenchCase> named = comparison.named(options);
    LocalFile.Way way = direct ? LocalFile.Way.DIRECT : LocalFile.Way.BUFFERED;
    return named.isEmpty()
        ? usual()
        : named.stream().map(each -> new MountCase(each, way)).toList();
  }

  private List<MountCase> usual() {
    List<MountCase> cases = new ArrayList<>();
    for (int depth : new int[] {1, 4}) {
      for (LocalFile.Way way : LocalFile.Way.values()) {
        cases.add(of(Work.READ, Pattern.SEQUENTIAL, 1 << 20, depth, way));
      }
    }
    cases.add(of(Work.READ, Pattern.RANDOM, 4 << 10, 1, LocalFile.Way.DIRECT));
    cases.add(of(Work.READ, Pattern.RANDOM, 4 << 10, 16, LocalFile.Way.DIRECT));
    for (int depth : new int[] {1, 4}) {
      cases.add(of(Work.WRITE, Pattern.STREAM, 1 << 20, depth, LocalFile.Way.BUFFERED));
    }
    cases.add(of(Work.WRITE, Pattern.RANDOM, 4 << 10, 1, LocalFile.Way.BUFFERED));
    cases.add(of(Work.WRITE, Pattern.SCATTERED, 4 << 10, 1, LocalFile.Way.BUFFERED));
    cases.add(of(Work.WRITE, Pattern.SCATTERED, 64 << 10, 4, LocalFile.Way.BUFFERED));
    return cases;
  }

  private MountCase of(Work work, Pattern pattern, int bytes, int depth, LocalFile.Way way) {
    return new MountCase(new BenchCase(work, pattern, bytes, depth, 1, comparison.replicas()), way);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<MountCase> cases = cases();
    BenchMount.check();
    try (var folder = new BenchFolder(options.directory(invocation));
        BenchCluster on = open();
        BenchMount mount =
            BenchMount.start(
                folder.path(), on.metaServers(), directMount ? List.of("--direct") : List.of())) {
      long fileBytes = comparison.fileBytes();
      BenchCommand.fill(on.files(), on.path("read"), fileBytes);
      if (!options.json()) {
        invocation.out().println(Report.line(MachineLimits.measure(folder.path())));
      }
      for (MountCase each : cases) {
        print(measure(each, on, mount, fileBytes));
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open() throws IOException, InterruptedException {
    return cluster.open(
        invocation,
        connector,
        () ->
            BenchCluster.start(
                options.directory(invocation),
                false,
                comparison.replicas(),
                connector,
                line -> invocation.err().println(line)));
  }

  private record Measured(MountCase which, Tally api, Tally mount) {
    double ratio() {
      return mount.perSecond() / api.perSecond();
    }
  }

  private Measured measure(MountCase which, BenchCluster on, BenchMount mount, long fileBytes)
      throws IOException {
    BenchCase of = which.of();
    List<Long> all = new ArrayList<>(on.processes());
    all.add(mount.pid());
    Meter meter = options.meter(invocation, new CpuMeter(all));
    var cpu = new CpuMeter(on.processes());
    var measured = new Measured(which, new Tally(), new Tally());
    boolean reads = of.work() == Work.READ;
    try (Load byApi =
            reads
                ? new ReadLoad(on.files(), of, on.path("read"))
                : new WriteLoad(on.files(), of, on.path("api"), fileBytes);
        Load byMount =
            reads
                ? new MountReadLoad(of, which.way(), mount.path(on.path("read")), fileBytes)
                : new MountWriteLoad(of, which.way(), mount.path(on.path("mount")), fileBytes)) {
      meter.warmUp(byApi);
      meter.warmUp(byMount);
      for (int round = 0; round < ROUNDS; round++) {
        measured.api().add(byApi, options.nanos(), 0, cpu);
        measured.mount().add(byMount, options.nanos(), mount.pid(), cpu);
      }
    }
    return measured;
  }

  private boolean begun;

  private void print(Measured of) {
    PrintStream out = invocation.out();
    if (options.json()) {
      out.println(json(of));
    } else {
      if (!begun) {
        out.printf(
            "%-38s %10s %10s %6s %18s %18s %11s %11s%n%-38s %10s %10s %6s %18s %18s%n",
            "figure",
            "API",
            "mount",
            "ratio",
            "API",
            "mount",
            "p50 API",
            "p50 mount",
            "",
            "GB/s",
            "GB/s",
            "",
            "CPU s/GiB",
            "client + servers");
      }
      BenchCase each = of.which().of();
      out.printf(
          Locale.ROOT,
          "%-38s %10.4f %10.4f %6.2f %18s %18s %8.0f us %8.0f us%n",
          of.which().label(),
          of.api().perSecond() * each.bytes() / 1e9,
          of.mount().perSecond() * each.bytes() / 1e9,
          of.ratio(),
          cpu(of.api(), each),
          cpu(of.mount(), each),
          of.api().latencies().seconds(0.5) * 1e6,
          of.mount().latencies().seconds(0.5) * 1e6);
    }
    begun = true;
    out.flush();
  }

  private static double perGib(double cpu, BenchCase each) {
    return cpu * (1L << 30) / each.bytes();
  }

  private static String cpu(Tally of, BenchCase each) {
    return String.format(
        Locale.ROOT,
        "%.2f + %.2f",
        perGib(of.clientSeconds(), each),
        perGib(of.serverSeconds(), each));
  }

  private static String json(Measured of) {
    BenchCase each = of.which().of();
    return String.format(
        Locale.ROOT,
        "{\"name\":\"mount.%s\",\"work\":\"%s\",\"pattern\":\"%s\",\"bytes\":%d,\"depth\":%d,"
            + "\"direct\":%b,\"replicas\":%d,\"api\":%s,\"mount\":%s,\"ratio\":%.4g}",
        of.which().label(),
        each.work().label(),
        each.pattern().label(),
        each.bytes(),
        each.depth(),
        of.which().way() == LocalFile.Way.DIRECT,
        each.replicas(),
        json(of.api(), each),
        json(of.mount(), each),
        of.ratio());
  }

  private static String json(Tally of, BenchCase each) {
    return String.format(
        Locale.ROOT,
        "{\"operations_per_s\":%.6g,\"bytes_per_s\":%.6g,\"p50_s\":%.4g,\"p99_s\":%.4g,"
            + "\"client_cpu_s_per_GiB\":%.4g,\"server_cpu_s_per_GiB\":%.4g,\"seconds\":%.3f}",
        of.perSecond(),
        of.perSecond() * each.bytes(),
        of.latencies().seconds(0.5),
        of.latencies().seconds(0.99),
        perGib(of.clientSeconds(), each),
        perGib(of.serverSeconds(), each),
        of.seconds());
  }
}
