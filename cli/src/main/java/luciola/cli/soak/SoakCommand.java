package luciola.cli.soak;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import luciola.cli.LogSetup;
import luciola.cli.soak.fault.FaultKind;
import luciola.cli.soak.fault.Fleet;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.fault.ProcessFleet;
import luciola.cli.soak.load.LoadOptions;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luciola soak}. */
@Command(
    name = "soak",
    description = {
      "Starts a cluster of processes of its own, writes and reads blocks that say what they are,",
      "and kills, pauses, damages and fills the servers meanwhile. Ends with 0 only if every read",
      "was right, everything recovered and nothing acknowledged is missing on any replica."
    })
public final class SoakCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "5",
      description = "How long faults happen (${DEFAULT-VALUE}); may be a fraction.")
  private double minutes;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Of the choices of load and faults (${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--servers",
      paramLabel = "N",
      defaultValue = "4",
      description = "Storage-servers (${DEFAULT-VALUE}).")
  private int servers;

  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "3",
      description = "Replicas of each chunk (${DEFAULT-VALUE}).")
  private int replicas;

  @Option(
      names = "--metas",
      paramLabel = "N",
      defaultValue = "1",
      description = "Meta-servers, 1, 3 or 5 (${DEFAULT-VALUE}).")
  private int metas;

  @Option(
      names = "--faults",
      paramLabel = "KIND",
      split = ",",
      description =
          "Which, separated by commas: kill, kill-two, kill-all, kill-during-resync, pause,"
              + " pause-shortly, meta-kill, meta-pause, meta-roll, of several meta-servers"
              + " meta-wipe, corrupt, truncate, full, with --namespaces cut and, of several"
              + " meta-servers, meta-cut; none. All if not given.")
  private @Nullable String @Nullable [] faults;

  @Option(
      names = "--mib-per-second",
      paramLabel = "N",
      defaultValue = "32",
      description = "Most that all clients together move (${DEFAULT-VALUE}).")
  private int mibPerSecond;

  @Option(
      names = "--capacity-mib",
      paramLabel = "N",
      defaultValue = "768",
      description = "Space of each target (${DEFAULT-VALUE}).")
  private int capacityMib;

  @Option(
      names = "--namespaces",
      description = "A network namespace for each server; needs root, ip and iptables.")
  private boolean namespaces;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "Where the servers' data lies; must be new or empty. A temporary one if not given.")
  private @Nullable Path directory;

  @Option(names = "--keep", description = "Leave the servers' data and logs.")
  private boolean keep;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  public SoakCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() throws Exception {
    LogSetup.level(LogSetup.Level.ERROR);
    if (minutes < 0
        || minutes > 60 * 24 * 30
        || servers < 1
        || servers > 16
        || metas < 1
        || metas > 5
        || metas % 2 == 0
        || replicas < 1
        || replicas > servers
        || mibPerSecond < 1
        || capacityMib < 128) {
      throw CommandFailure.wrongUse(
          "--minutes is not negative, --servers 1 to 16, --metas 1, 3 or 5, --replicas 1 to as many"
              + " as servers,"
              + " --mib-per-second 1 or more, --capacity-mib 128 or more");
    }
    Set<FaultKind> kinds = kinds();
    Path folder = folder();
    FleetOptions fleetOptions =
        FleetOptions.of(folder, servers)
            .withMetaServers(metas)
            .withCapacityBytes((long) capacityMib << 20);
    var options =
        SoakOptions.forTime(
            Duration.ofMillis((long) (minutes * 60_000)),
            replicas,
            kinds,
            LoadOptions.of("/soak", seed).withRate((long) mibPerSecond << 20));
    SoakReport report;
    try (EarlyEnd end = EarlyEnd.listen((sofar, left) -> ended(sofar, left, folder))) {
      try (Fleet fleet = end.make(() -> fleet(fleetOptions))) {
        say("servers' data and logs: " + folder);
        var soak = new Soak(options, fleet, fleetOptions.timings(), this::say);
        end.runs(soak);
        report = soak.run();
      } catch (Exception e) {
        if (end.begun()) {
          return ExitCode.FAILED;
        }
        throw e;
      }
    }
    print(report);
    removeIfGood(report, folder);
    return report.violations() == 0 ? ExitCode.DONE : ExitCode.FAILED;
  }

  /** In the middle, by a signal; the servers are gone already. */
  private void ended(Optional<SoakReport> report, String left, Path folder) {
    report.ifPresent(this::print);
    say("ended early; nothing was read back" + (left.isEmpty() ? "" : "; left behind: " + left));
    try {
      if (report.isPresent()) {
        removeIfGood(report.get(), folder);
      } else {
        remove(folder);
      }
    } catch (IOException e) {
      say("cannot remove " + folder + ": " + e);
    }
  }

  private void removeIfGood(SoakReport report, Path folder) throws IOException {
    if (!keep && report.violations() == 0) {
      remove(folder);
    }
  }

  private void print(SoakReport report) {
    if (json) {
      Json.print(invocation.out(), report);
    } else {
      report.print(invocation.out());
    }
    invocation.out().flush();
  }

  private void say(String line) {
    invocation.err().println(line);
    invocation.err().flush();
  }

  private Fleet fleet(FleetOptions options) throws IOException, InterruptedException {
    return namespaces ? ProcessFleet.inNamespaces(options) : ProcessFleet.prepare(options);
  }

  private Set<FaultKind> kinds() {
    if (faults == null) {
      return EnumSet.allOf(FaultKind.class);
    }
    var kinds = EnumSet.noneOf(FaultKind.class);
    for (String name : faults) {
      if (name != null && !name.equals("none")) {
        kinds.addAll(
            FaultKind.ofOption(name)
                .orElseThrow(() ->
                    CommandFailure.wrongUse(
                        "no fault '"
                            + name
                            + "'; there are "
                            + Arrays.stream(FaultKind.values())
                                .map(FaultKind::optionName)
                                .collect(Collectors.joining(", ")))));
      }
    }
    return kinds;
  }

  private Path folder() throws IOException {
    if (directory == null) {
      return Files.createTempDirectory("luciola-soak");
    }
    Path folder = Files.createDirectories(invocation.resolve(directory));
    try (Stream<Path> inside = Files.list(folder)) {
      if (inside.findAny().isPresent()) {
        throw CommandFailure.wrongUse("--dir is not empty: " + folder);
      }
    }
    return folder;
  }

  private static void remove(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path each, @Nullable IOException failure)
              throws IOException {
            Files.delete(each);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
