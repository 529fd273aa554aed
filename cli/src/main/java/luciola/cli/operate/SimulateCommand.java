package luciola.cli.operate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Table;
import luciola.cli.terminal.Units;
import luciola.simulation.PlantedBug;
import luciola.simulation.Scenario;
import luciola.simulation.Simulation;
import luciola.simulation.SimulationOptions;
import luciola.simulation.SimulationResult;
import luciola.simulation.world.Probe;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code luciola simulate}. */
@Command(name = "simulate", description = "Runs the protocols in a simulated world, under seeds.")
public final class SimulateCommand implements Runnable {
  @CommandLine.Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation) {
    return new CommandLine(new SimulateCommand())
        .addSubcommand(new Cluster(invocation))
        .addSubcommand(new Names(invocation));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "which? simulate cluster|namespace");
    }
  }

  @Command(
      name = "cluster",
      description = {
        "Runs whole clusters, each in one thread, with crashes, lost and late messages, partitions",
        "and clocks that drift; checks that no acknowledged write is lost or applied twice, that",
        "reads are linearizable and that replicas converge. A failing seed prints its replay.",
        "Ends with 0 if every rule held and with 1 if one was broken, as --bug should make it."
      })
  static final class Cluster extends Runs {
    Cluster(Invocation invocation) {
      super(Scenario.CLUSTER, invocation);
    }
  }

  @Command(
      name = "namespace",
      description = {
        "Runs the namespace on its replicated log, with members that crash, are held, cut off and",
        "lose their disks, and clients that send again and die; checks every answer and the final",
        "tree against a model of POSIX, and that all members have the same. Ends as 'cluster'."
      })
  static final class Names extends Runs {
    Names(Invocation invocation) {
      super(Scenario.NAMESPACE, invocation);
    }
  }

  abstract static class Runs implements Callable<Integer> {
    private static final int BLOCK = 4;
    private static final long PROGRESS_NANOS = 5_000_000_000L;
    private static final int TRACE_SHOWN = 40;

    private final Scenario scenario;
    private final Invocation invocation;

    @Option(
        names = "--seeds",
        paramLabel = "N",
        defaultValue = "1",
        description = "How many runs (${DEFAULT-VALUE}).")
    private int seeds;

    @Option(
        names = "--seed",
        paramLabel = "S",
        defaultValue = "1",
        description = "Seed of the first run (${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--ops", paramLabel = "N", description = "Client operations of each run.")
    private int operations = SimulationOptions.OPERATIONS;

    @Option(
        names = {"--bug", "--planted"},
        paramLabel = "BUG",
        description = "A mistake to make on purpose, by its name; an unknown name lists them.")
    private @Nullable String bug;

    @Option(
        names = "--keep-going",
        description = "Go on after a failing seed; all that failed are told in the end.")
    private boolean keepGoing;

    @Option(names = "--trace", description = "Print everything that happens; one seed at a time.")
    private boolean trace;

    @Option(
        names = {"-j", "--parallel"},
        paramLabel = "N",
        description = "Runs at the same time (one per core).")
    private int parallel = Runtime.getRuntime().availableProcessors();

    @Option(
        names = "--coverage",
        description = "Which rare situations were reached, by how many seeds, first by which.")
    private boolean coverage;

    @Option(names = "--json", description = "The result as one JSON object.")
    private boolean json;

    Runs(Scenario scenario, Invocation invocation) {
      this.scenario = scenario;
      this.invocation = invocation;
    }

    private record Result(
        long firstSeed,
        int seeds,
        long operations,
        int undecided,
        List<Long> undecidedSeeds,
        double simulatedSeconds,
        double seconds,
        Map<String, Long> coverage,
        Map<String, SimulationResult.Reach> probes,
        @Nullable Long failedSeed,
        @Nullable String failure,
        @Nullable String replay,
        List<Long> failedSeeds) {}

    @Override
    public Integer call() throws InterruptedException {
      Optional<PlantedBug> planted = Optional.ofNullable(bug).map(this::plantedBug);
      if (seeds < 1 || operations < 1 || parallel < 1) {
        throw CommandFailure.wrongUse("--seeds, --ops and --parallel are 1 or more");
      }
      long started = System.nanoTime();
      SimulationResult result = run(planted);
      print(result, System.nanoTime() - started);
      return result.failure().isPresent() ? ExitCode.FAILED : ExitCode.DONE;
    }

    private PlantedBug plantedBug(String name) {
      return PlantedBug.ofOption(name)
          .filter(planted -> planted.scenario() == scenario)
          .orElseThrow(() ->
              CommandFailure.wrongUse(
                  "no planted bug '"
                      + name
                      + "'; there are "
                      + Arrays.stream(PlantedBug.values())
                          .filter(planted -> planted.scenario() == scenario)
                          .map(PlantedBug::optionName)
                          .collect(Collectors.joining(", "))));
    }

    private SimulationResult run(Optional<PlantedBug> planted) throws InterruptedException {
      if (trace || seeds == 1) {
        return Simulation.run(
            new SimulationOptions(scenario, seed, seeds, operations, planted, trace, keepGoing),
            invocation.out()::println);
      }
      var stop = new AtomicBoolean();
      ExecutorService workers =
          Executors.newFixedThreadPool(
              parallel, Thread.ofPlatform().daemon().name("simulate-", 0).factory());
      try {
        List<Future<Optional<SimulationResult>>> blocks =
            IntStream.range(0, (seeds + BLOCK - 1) / BLOCK)
                .mapToObj(block -> workers.submit(() -> block(block, planted, stop)))
                .toList();
        return collect(blocks);
      } finally {
        workers.shutdownNow();
      }
    }

    private Optional<SimulationResult> block(
        int block, Optional<PlantedBug> planted, AtomicBoolean stop) {
      if (stop.get()) {
        return Optional.empty();
      }
      int done = block * BLOCK;
      SimulationResult result =
          Simulation.run(
              new SimulationOptions(
                  scenario,
                  seed + done,
                  Math.min(BLOCK, seeds - done),
                  operations,
                  planted,
                  false,
                  keepGoing));
      if (result.failure().isPresent() && !keepGoing) {
        stop.set(true);
      }
      return Optional.of(result);
    }

    /** Adds the blocks up in the order of their seeds; ends with the first failure. */
    private SimulationResult collect(List<Future<Optional<SimulationResult>>> blocks)
        throws InterruptedException {
      SimulationResult sum = SimulationResult.NONE;
      long printed = System.nanoTime();
      for (Future<Optional<SimulationResult>> block : blocks) {
        Optional<SimulationResult> result = resultOf(block);
        if (result.isEmpty()) {
          continue;
        }
        sum = sum.plus(result.get());
        if (keepGoing) {
          result.get().failures().forEach(this::tellFailure);
        }
        if (System.nanoTime() - printed > PROGRESS_NANOS) {
          printed = System.nanoTime();
          invocation.err().println("simulated " + sum.seeds() + " of " + seeds + " seeds");
        }
      }
      return sum;
    }

    private static Optional<SimulationResult> resultOf(Future<Optional<SimulationResult>> block)
        throws InterruptedException {
      try {
        return block.get();
      } catch (ExecutionException failure) {
        throw CommandFailure.failed("the simulator itself failed: " + failure.getCause(), failure);
      }
    }

    private void print(SimulationResult result, long nanos) {
      if (json) {
        Json.print(
            invocation.out(),
            new Result(
                seed,
                result.seeds(),
                result.operations(),
                result.undecided(),
                result.undecidedSeeds(),
                result.simulatedNanos() / 1e9,
                nanos / 1e9,
                new TreeMap<>(result.coverage()),
                byName(result.probes()),
                result.failure().map(SimulationResult.Failure::seed).orElse(null),
                result.failure().map(SimulationResult.Failure::message).orElse(null),
                result.failure().map(SimulationResult.Failure::replay).orElse(null),
                result.failures().stream().map(SimulationResult.Failure::seed).toList()));
        return;
      }
      var out = invocation.out();
      if (coverage) {
        printProbes(result);
      } else {
        var table = new Table("situation", "times");
        new TreeMap<>(result.coverage()).forEach(table::row);
        table.print(out);
      }
      result.failure().ifPresent(this::printFailure);
      if (result.failures().size() > 1) {
        out.println();
        out.println(result.failures().size() + " seeds broke a rule:");
        result
            .failures()
            .forEach(failure -> out.println(failure.seed() + " " + firstLine(failure)));
      }
      if (result.undecided() > 0) {
        out.println("undecided: seeds " + result.undecidedSeeds());
      }
      out.printf(
          "%s, %d operations, %.0f simulated seconds in %.1f s, %d histories undecided: %s%n",
          Units.count(result.seeds(), "seed"),
          result.operations(),
          result.simulatedNanos() / 1e9,
          nanos / 1e9,
          result.undecided(),
          verdict(result));
    }

    private static Map<String, SimulationResult.Reach> byName(
        Map<Probe, SimulationResult.Reach> probes) {
      var named = new LinkedHashMap<String, SimulationResult.Reach>();
      new TreeMap<>(probes).forEach((probe, reach) -> named.put(probe.probeName(), reach));
      return named;
    }

    private void printProbes(SimulationResult result) {
      var table = new Table("probe", "seeds", "times", "first seed", "says");
      int reached = 0;
      List<Probe> probes =
          Arrays.stream(Probe.values()).filter(probe -> probe.scenario() == scenario).toList();
      for (Probe probe : probes) {
        SimulationResult.Reach reach = result.probes().get(probe);
        reached += reach == null ? 0 : 1;
        table.row(
            probe.probeName(),
            reach == null ? 0 : reach.seeds(),
            reach == null ? 0 : reach.times(),
            reach == null ? "-" : reach.firstSeed(),
            probe.says());
      }
      table.print(invocation.out());
      invocation.out().println(reached + " of " + probes.size() + " probes reached");
    }

    private void tellFailure(SimulationResult.Failure failure) {
      invocation.err().println("seed " + failure.seed() + " broke a rule: " + firstLine(failure));
    }

    private static String firstLine(SimulationResult.Failure failure) {
      return failure.message().lines().findFirst().orElse("");
    }

    private void printFailure(SimulationResult.Failure failure) {
      var out = invocation.out();
      out.println();
      List<String> lines = failure.trace();
      lines.subList(Math.max(0, lines.size() - TRACE_SHOWN), lines.size()).forEach(out::println);
      out.println();
      out.println("seed " + failure.seed() + " broke a rule: " + failure.message());
      out.println("replay: " + failure.replay() + " --trace");
    }

    private String verdict(SimulationResult result) {
      boolean broken = result.failure().isPresent();
      if (bug != null) {
        return broken ? "the planted bug was caught" : "the planted bug was NOT caught";
      }
      return broken ? "a rule was BROKEN" : "every rule held";
    }
  }
}
