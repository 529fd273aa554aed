package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.bench.RingReport.Way;
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

  @Mixin private final MeasuredCluster cluster = new MeasuredCluster();

  @Mixin private final ComparisonOptions comparison = new ComparisonOptions();

  @Option(
      names = "--spin-micros",
      paramLabel = "N",
      defaultValue = "0",
      description = "How long the agent looks for more before it sleeps (${DEFAULT-VALUE}).")
  private int spinMicros;

  RingBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  private List<BenchCase> cases() {
    if (spinMicros < 0 || spinMicros > 1_000_000) {
      throw CommandFailure.wrongUse("--spin-micros is 0 to 1000000");
    }
    List<BenchCase> named = comparison.named(options);
    return named.isEmpty() ? usual() : named;
  }

  private List<BenchCase> usual() {
    List<BenchCase> cases = new ArrayList<>();
    for (int depth : new int[] {1, 16, 64}) {
      cases.add(new BenchCase(Work.READ, Pattern.RANDOM, 4 << 10, depth, 1, comparison.replicas()));
    }
    for (int depth : new int[] {1, 16, 64}) {
      cases.add(
          new BenchCase(Work.READ, Pattern.SEQUENTIAL, 1 << 20, depth, 1, comparison.replicas()));
    }
    cases.add(new BenchCase(Work.WRITE, Pattern.STREAM, 1 << 20, 4, 1, comparison.replicas()));
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
      long fileBytes = comparison.fileBytes();
      BenchCommand.fill(on.files(), on.path("read"), fileBytes);
      if (!options.json()) {
        invocation.out().println(Report.line(MachineLimits.measure(folder.path())));
      }
      var scene = new Scene(on, agent.socket(), program.orElse(null), mounted.mount(), fileBytes);
      var report = new RingReport(invocation.out(), options.json());
      for (BenchCase each : cases) {
        report.add(each, measure(each, scene));
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
    return new Mounted(BenchMount.start(folder.path(), on.metaServers(), List.of()));
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
          Loaded loaded = each.getValue();
          tallies
              .computeIfAbsent(each.getKey(), _ -> new Tally())
              .add(loaded.load(), options.nanos(), loaded.process(), cpu);
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
}
