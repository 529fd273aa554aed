package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import luciola.loader.ring.RingConfiguration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luciola bench ring}: the same load by a ring, through a mount and by the Java API. */
@Command(
    name = "ring",
    description = {
      "The same reads and writes by a ring, through a mount and by the Java API, in turns, on one"
          + " cluster.",
      "The ring's owner is a program in C, compiled here; the mount is served by a process of its"
          + " own and needs root. What this machine cannot do is left out and said."
    })
final class RingBench implements Callable<Integer> {
  private static final int ROUNDS = 3;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final CaseOptions options = new CaseOptions();

  @Option(
      names = {"-c", "--cluster"},
      paramLabel = "HOST:PORT",
      description =
          "A cluster that runs already, by its meta-servers; else one of its own is started for"
              + " as long as the bench runs.")
  private @Nullable String cluster;

  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "3",
      description = "Copies of each chunk in its own cluster, 1 to 3 (${DEFAULT-VALUE}).")
  private int replicas;

  @Option(
      names = "--work",
      split = ",",
      paramLabel = "WORK",
      description = "With --size and the like: read, write or both (read).")
  private List<String> works = List.of("read");

  @Option(
      names = "--spin-micros",
      paramLabel = "N",
      defaultValue = "0",
      description = "How long the agent looks for more before it sleeps (${DEFAULT-VALUE}).")
  private int spinMicros;

  @Option(
      names = "--file-mib",
      paramLabel = "N",
      defaultValue = "512",
      description = "Size of what is read or written over and over (${DEFAULT-VALUE}).")
  private int fileMib;

  private boolean begun;

  RingBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  /** How files are reached. */
  private enum Way {
    API,
    MOUNT,
    RING;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private List<BenchCase> cases() {
    if (fileMib < 64 || replicas < 1 || replicas > 3 || spinMicros < 0 || spinMicros > 1_000_000) {
      throw CommandFailure.wrongUse(
          "--file-mib is at least 64, --replicas are 1 to 3, --spin-micros 0 to 1000000");
    }
    if (!List.of("read", "write").containsAll(works)) {
      throw CommandFailure.wrongUse("--work is read, write or both");
    }
    List<BenchCase> named = new ArrayList<>();
    for (Work work : List.of(Work.READ, Work.WRITE)) {
      if (works.contains(work.label())) {
        named.addAll(options.cases(work, 1, replicas, List.of()));
      }
    }
    return named.isEmpty() ? usual() : named;
  }

  private List<BenchCase> usual() {
    List<BenchCase> cases = new ArrayList<>();
    for (int depth : new int[] {1, 16, 64}) {
      cases.add(new BenchCase(Work.READ, Pattern.RANDOM, 4 << 10, depth, 1, replicas));
    }
    for (int depth : new int[] {1, 16, 64}) {
      cases.add(new BenchCase(Work.READ, Pattern.SEQUENTIAL, 1 << 20, depth, 1, replicas));
    }
    cases.add(new BenchCase(Work.WRITE, Pattern.STREAM, 1 << 20, 4, 1, replicas));
    return cases;
  }

  /** Everything that load is put on; what this machine cannot do is not there. */
  private record Scene(
      BenchCluster on,
      Path agent,
      @Nullable Path program,
      @Nullable BenchMount mount,
      long fileBytes) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<BenchCase> cases = cases();
    try (var folder = new BenchFolder(options.directory(invocation));
        BenchCluster on = open();
        LoaderAgent agent = agent(folder, on);
        Mounted mounted = mount(folder, on)) {
      Optional<Path> program = RingProgram.compile(folder.path());
      if (program.isEmpty()) {
        invocation.err().println("bench ring: no ring: this machine has no C compiler (cc)");
      }
      long fileBytes = (long) fileMib << 20;
      BenchCommand.fill(on.files(), on.path("read"), fileBytes);
      if (!options.json()) {
        invocation.out().println(Report.line(MachineLimits.measure(folder.path())));
      }
      var scene = new Scene(on, agent.socket(), program.orElse(null), mounted.mount(), fileBytes);
      for (BenchCase each : cases) {
        print(each, measure(each, scene));
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open() throws IOException, InterruptedException {
    return cluster != null
        ? BenchCluster.at(
            ClusterOption.addresses("--cluster", cluster),
            new ClusterOption().access(invocation),
            connector)
        : BenchCluster.start(
            options.directory(invocation),
            false,
            replicas,
            connector,
            line -> invocation.err().println(line));
  }

  private LoaderAgent agent(BenchFolder folder, BenchCluster on) {
    RingConfiguration usual = RingConfiguration.DEFAULTS;
    return LoaderAgent.start(
        AgentConfiguration.of(folder.path().resolve("agent.sock"))
            .withRings(
                new RingConfiguration(
                    usual.entriesMax(),
                    usual.operationBytesMax(),
                    usual.filesMax(),
                    usual.requestsMax(),
                    spinMicros * 1000L)),
        on.files());
  }

  /** A mount, if one can be. */
  private record Mounted(@Nullable BenchMount mount) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      if (mount != null) {
        mount.close();
      }
    }
  }

  private Mounted mount(BenchFolder folder, BenchCluster on)
      throws IOException, InterruptedException {
    try {
      BenchMount.check();
    } catch (CommandFailure e) {
      invocation.err().println("bench ring: no mount: " + e.getMessage());
      return new Mounted(null);
    }
    return new Mounted(BenchMount.start(folder.path(), on.metaServers()));
  }

  /** What one of the ways did. */
  private static final class Tally {
    private final Latencies latencies = new Latencies();
    private long operations;
    private double seconds;
    private double client;
    private double servers;

    double perSecond() {
      return operations / seconds;
    }

    double micros(double cpu) {
      return cpu / operations * 1e6;
    }
  }

  /** A load and the process beside this one and the servers that it keeps busy; 0 for none. */
  private record Loaded(Load load, long process) {}

  private Map<Way, Tally> measure(BenchCase of, Scene scene) throws IOException {
    if (of.busier().isPresent()) {
      var _ = measure(of.busier().get(), scene, 0);
    }
    return measure(of, scene, ROUNDS);
  }

  private Map<Way, Tally> measure(BenchCase of, Scene scene, int rounds) throws IOException {
    Map<Way, Loaded> loads = new EnumMap<>(Way.class);
    Map<Way, Tally> tallies = new EnumMap<>(Way.class);
    try {
      loads(of, scene, loads);
      List<Long> all = new ArrayList<>(scene.on().processes());
      loads.values().stream().map(Loaded::process).filter(pid -> pid != 0).forEach(all::add);
      Meter meter = options.meter(invocation, new CpuMeter(all));
      var cpu = new CpuMeter(scene.on().processes());
      for (Loaded each : loads.values()) {
        meter.warmUp(each.load());
      }
      for (int round = 0; round < rounds; round++) {
        for (Map.Entry<Way, Loaded> each : loads.entrySet()) {
          add(tallies.computeIfAbsent(each.getKey(), _ -> new Tally()), each.getValue(), cpu);
        }
      }
    } finally {
      for (Loaded each : loads.values()) {
        each.load().close();
      }
      if (of.work() == Work.WRITE && scene.program() != null) {
        for (int i = 0; i < of.depth(); i++) {
          scene.on().files().remove(scene.on().path("ring") + "-" + i);
        }
      }
    }
    return tallies;
  }

  private static void loads(BenchCase of, Scene scene, Map<Way, Loaded> into) throws IOException {
    BenchCluster on = scene.on();
    long fileBytes = scene.fileBytes();
    boolean reads = of.work() == Work.READ;
    into.put(
        Way.API,
        new Loaded(
            reads
                ? new ReadLoad(on.files(), of, on.path("read"))
                : new WriteLoad(on.files(), of, on.path("api"), fileBytes),
            0));
    BenchMount mount = scene.mount();
    if (mount != null) {
      // Small random reads pass the kernel's page cache: what is measured is the mount.
      LocalFile.Way how =
          reads && of.pattern() == Pattern.RANDOM ? LocalFile.Way.DIRECT : LocalFile.Way.BUFFERED;
      into.put(
          Way.MOUNT,
          new Loaded(
              reads
                  ? new MountReadLoad(of, how, mount.path(on.path("read")), fileBytes)
                  : new MountWriteLoad(of, how, mount.path(on.path("mount")), fileBytes),
              mount.pid()));
    }
    Path program = scene.program();
    if (program != null) {
      String path = on.path(reads ? "read" : "ring");
      var load = new RingLoad(program, scene.agent(), of, path, fileBytes);
      into.put(Way.RING, new Loaded(load, load.pid()));
    }
  }

  private void add(Tally to, Loaded from, CpuMeter cpu) throws IOException {
    CpuMeter.Reading before = cpu.read();
    double processBefore = from.process() == 0 ? 0 : CpuMeter.seconds(from.process());
    long unmeasured = from.load().unmeasuredNanos();
    long start = System.nanoTime();
    to.operations += from.load().run(start + options.nanos(), to.latencies);
    to.seconds += (System.nanoTime() - start - (from.load().unmeasuredNanos() - unmeasured)) / 1e9;
    CpuMeter.Reading used = cpu.read().minus(before);
    to.client +=
        used.client()
            + (from.process() == 0 ? 0 : CpuMeter.seconds(from.process()) - processBefore);
    to.servers += used.servers();
  }

  private void print(BenchCase of, Map<Way, Tally> measured) {
    if (options.json()) {
      invocation.out().println(json(of, measured));
    } else {
      if (!begun) {
        invocation
            .out()
            .printf(
                "%-30s %27s %17s %26s %41s%n%-30s %8s %9s %8s %8s %8s %8s %8s %8s %13s %13s %13s%n",
                "figure",
                "operations per second",
                "to API",
                "p50, us",
                "CPU of an operation, client + servers, us",
                "",
                "API",
                "mount",
                "ring",
                "mount",
                "ring",
                "API",
                "mount",
                "ring",
                "API",
                "mount",
                "ring");
      }
      invocation.out().println(line(of, measured));
    }
    begun = true;
    invocation.out().flush();
  }

  private interface Value {
    String of(Tally tally);
  }

  private static String cell(Map<Way, Tally> measured, Way way, Value value) {
    Tally tally = measured.get(way);
    return tally == null ? "-" : value.of(tally);
  }

  private static String line(BenchCase of, Map<Way, Tally> measured) {
    Value rate = each -> String.format(Locale.ROOT, "%.0f", each.perSecond());
    Tally api = measured.getOrDefault(Way.API, new Tally());
    Value ratio = each -> String.format(Locale.ROOT, "%.2f", each.perSecond() / api.perSecond());
    Value median = each -> String.format(Locale.ROOT, "%.0f", each.latencies.seconds(0.5) * 1e6);
    Value cpu =
        each ->
            String.format(
                Locale.ROOT, "%.0f + %.0f", each.micros(each.client), each.micros(each.servers));
    return String.format(
        Locale.ROOT,
        "%-30s %8s %9s %8s %8s %8s %8s %8s %8s %13s %13s %13s",
        of.label(),
        cell(measured, Way.API, rate),
        cell(measured, Way.MOUNT, rate),
        cell(measured, Way.RING, rate),
        cell(measured, Way.MOUNT, ratio),
        cell(measured, Way.RING, ratio),
        cell(measured, Way.API, median),
        cell(measured, Way.MOUNT, median),
        cell(measured, Way.RING, median),
        cell(measured, Way.API, cpu),
        cell(measured, Way.MOUNT, cpu),
        cell(measured, Way.RING, cpu));
  }

  private static String json(BenchCase of, Map<Way, Tally> measured) {
    var line = new StringBuilder();
    line.append(
        String.format(
            Locale.ROOT,
            "{\"name\":\"ring.%s\",\"work\":\"%s\",\"pattern\":\"%s\",\"bytes\":%d,\"depth\":%d,"
                + "\"replicas\":%d",
            of.label(),
            of.work().label(),
            of.pattern().label(),
            of.bytes(),
            of.depth(),
            of.replicas()));
    measured.forEach((way, tally) ->
        line.append(
            String.format(
                Locale.ROOT,
                ",\"%s\":{\"operations_per_s\":%.6g,\"bytes_per_s\":%.6g,\"p50_s\":%.4g,"
                    + "\"p99_s\":%.4g,\"client_cpu_s_per_operation\":%.4g,"
                    + "\"server_cpu_s_per_operation\":%.4g}",
                way.label(),
                tally.perSecond(),
                tally.perSecond() * of.bytes(),
                tally.latencies.seconds(0.5),
                tally.latencies.seconds(0.99),
                tally.client / tally.operations,
                tally.servers / tally.operations)));
    return line.append('}').toString();
  }
}
