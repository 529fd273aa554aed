package luciola.cli.bench;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luciola bench meta}: names made and looked up, beside the disk's own flush. */
@Command(
    name = "meta",
    description = {
      "One client makes files and looks them up by their paths, so many at a time; each is",
      "acknowledged when it is durable. Beside it what one flush of the disk takes."
    })
final class MetaBench implements Callable<Integer> {
  private static final long LIMIT_BYTES = 64L << 20;
  private static final int PROBES_MAX = 1 << 20;

  private final Invocation invocation;
  private final Connector connector;

  @Option(
      names = {"-c", "--cluster"},
      paramLabel = "HOST:PORT",
      description =
          "A cluster that runs already, by its meta-servers; else one of its own is started for"
              + " as long as the bench runs.")
  private @Nullable String cluster;

  @Option(
      names = "--metas",
      paramLabel = "N",
      defaultValue = "1",
      description = "Meta-servers of its own cluster: 1, 3 or 5 (${DEFAULT-VALUE}).")
  private int metas;

  @Option(
      names = "--reads-anywhere",
      description = "Names are looked up at all meta-servers in turn, not only where one leads.")
  private boolean readsAnywhere;

  @Option(
      names = "--depth",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,16,128",
      description = "Requests in flight; several separated by commas (${DEFAULT-VALUE}).")
  private List<Integer> depths = List.of();

  @Option(
      names = "--files",
      paramLabel = "N",
      defaultValue = "0",
      description = "Files that are made before anything is measured (${DEFAULT-VALUE}).")
  private long filesBefore;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "Time that counts of each figure (${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--warm-up",
      paramLabel = "S",
      defaultValue = "10",
      description = "Seconds before each figure (${DEFAULT-VALUE}).")
  private double warmUp;

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Where a cluster of its own keeps its data, and the disk is measured.")
  private Path directory = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  /** Files made so far; each has its number in its name. */
  private final AtomicLong made = new AtomicLong();

  MetaBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  /** One operation. */
  private interface Step {
    void run(MetaConnection meta, SplittableRandom random);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (depths.stream().anyMatch(depth -> depth < 1 || depth > 1024)
        || seconds <= 0
        || warmUp < 0
        || filesBefore < 0
        || metas < 1
        || metas > 5
        || metas % 2 == 0
        || (cluster != null && (metas > 1 || readsAnywhere))) {
      throw CommandFailure.wrongUse(
          "--depth is 1 to 1024, --seconds more than 0, --metas 1, 3 or 5 and, like"
              + " --reads-anywhere, not of a cluster that runs already");
    }
    Path disk = invocation.resolve(directory);
    try (BenchCluster on = open(disk)) {
      String home = on.path("meta");
      on.files().mkdirs(home);
      var cpu = new CpuMeter(on.processes());
      before(on.meta(), home);
      for (int depth : depths) {
        print(measure("create", depth, on.meta(), create(home), disk, cpu));
      }
      for (int depth : depths) {
        print(measure("stat", depth, on.meta(), lookup(home), disk, cpu));
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open(Path disk) throws IOException, InterruptedException {
    return cluster != null
        ? BenchCluster.at(
            ClusterOption.addresses("--cluster", cluster),
            new ClusterOption().access(invocation),
            connector)
        : metas > 1 || readsAnywhere
            ? BenchCluster.ofGroup(disk, metas, readsAnywhere)
            : BenchCluster.start(disk, false, 1, connector, line -> invocation.err().println(line));
  }

  private void before(MetaConnection meta, String home) {
    if (filesBefore > 0) {
      long start = System.nanoTime();
      together(128, meta, create(home), Long.MAX_VALUE, filesBefore, new Latencies());
      invocation
          .err()
          .printf(
              Locale.ROOT,
              "%d files made in %.1f s%n",
              made.get(),
              (System.nanoTime() - start) / 1e9);
    }
  }

  private static At at(String home, long number) {
    return At.newBuilder().setPath(ByteString.copyFromUtf8(home + "/f" + number)).build();
  }

  private Step create(String home) {
    return (meta, _) -> {
      var _ =
          meta.call(
              NamespaceRequest.newBuilder()
                  .setCreate(
                      Create.newBuilder()
                          .setAt(at(home, made.incrementAndGet()))
                          .setMode(0644)
                          .setExclusive(true)));
    };
  }

  private Step lookup(String home) {
    return (meta, random) -> {
      // Those that were made last may still be under way.
      long known = Math.max(1, Math.min(PROBES_MAX, made.get() - 1024));
      var _ =
          meta.call(
              NamespaceRequest.newBuilder()
                  .setLookup(Lookup.newBuilder().setAt(at(home, 1 + random.nextLong(known)))));
    };
  }

  private record Measured(
      String name,
      int depth,
      double perSecond,
      Latencies latencies,
      double flushSeconds,
      CpuMeter.Reading cpu,
      double operations) {}

  private Measured measure(
      String name, int depth, MetaConnection meta, Step step, Path disk, CpuMeter cpu)
      throws IOException {
    var _ = together(depth, meta, step, (long) (warmUp * 1e9), Long.MAX_VALUE, new Latencies());
    double flush = DiskLimit.measure(disk, LIMIT_BYTES).flushSeconds();
    var latencies = new Latencies();
    CpuMeter.Reading before = cpu.read();
    long start = System.nanoTime();
    long done = together(depth, meta, step, (long) (seconds * 1e9), Long.MAX_VALUE, latencies);
    double took = (System.nanoTime() - start) / 1e9;
    return new Measured(name, depth, done / took, latencies, flush, cpu.read().minus(before), done);
  }

  private static long together(
      int depth, MetaConnection meta, Step step, long nanos, long most, Latencies latencies) {
    long start = System.nanoTime();
    var begun = new AtomicLong();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Long>> running = new ArrayList<>();
      for (int i = 0; i < depth; i++) {
        var random = new SplittableRandom(i);
        running.add(
            threads.submit(() -> {
              long done = 0;
              long now = System.nanoTime();
              while (now - start < nanos && begun.getAndIncrement() < most) {
                step.run(meta, random);
                long end = System.nanoTime();
                latencies.add(end - now);
                now = end;
                done++;
              }
              return done;
            }));
      }
      long sum = 0;
      for (Future<Long> each : running) {
        sum += each.get();
      }
      return sum;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LuciolaException fault
          ? fault
          : new IllegalStateException("bench", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LuciolaException(ErrorCode.CANCELLED, "bench: interrupted", e);
    }
  }

  private boolean begun;

  private void print(Measured of) {
    var out = invocation.out();
    if (json) {
      out.printf(
          Locale.ROOT,
          "{\"name\":\"meta.%s.d%d\",\"per_s\":%.6g,\"p50_s\":%.4g,\"p99_s\":%.4g,"
              + "\"disk_flush_s\":%.4g,\"client_cpu_us\":%.4g,\"server_cpu_us\":%.4g}%n",
          of.name(),
          of.depth(),
          of.perSecond(),
          of.latencies().seconds(0.5),
          of.latencies().seconds(0.99),
          of.flushSeconds(),
          of.cpu().client() / of.operations() * 1e6,
          of.cpu().servers() / of.operations() * 1e6);
    } else {
      if (!begun) {
        out.printf(
            "%-20s %12s %10s %10s %14s %22s%n",
            "figure", "per second", "p50", "p99", "flush of 4 KiB", "CPU us client+servers");
      }
      out.printf(
          Locale.ROOT,
          "%-20s %12.0f %7.0f us %7.0f us %11.0f us %13.0f + %.0f%n",
          "meta." + of.name() + ".d" + of.depth(),
          of.perSecond(),
          of.latencies().seconds(0.5) * 1e6,
          of.latencies().seconds(0.99) * 1e6,
          of.flushSeconds() * 1e6,
          of.cpu().client() / of.operations() * 1e6,
          of.cpu().servers() / of.operations() * 1e6);
    }
    begun = true;
    out.flush();
  }
}
