package luciola.cli.bench;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Create;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.control.MetaConnection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luciola bench meta}: names made and looked up, beside the disk's own flush. */
@Command(
    name = "meta",
    description = {
      "One client makes files and looks them up by their paths, so many at a time; each is",
      "acknowledged when it is durable. Beside it what one flush of the disk takes."
    })
final class MetaBench implements Callable<Integer> {
  private static final List<Integer> USUAL_DEPTHS = List.of(1, 16, 128);
  private static final int PROBES_MAX = 1 << 20;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final MeasuredCluster cluster = new MeasuredCluster();

  @Mixin private final OperationOptions options = new OperationOptions();

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
      names = "--files",
      paramLabel = "N",
      defaultValue = "0",
      description = "Files that are made before anything is measured (${DEFAULT-VALUE}).")
  private long filesBefore;

  /** Files made so far; each has its number in its name. */
  private final AtomicLong made = new AtomicLong();

  MetaBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    options.check();
    if (filesBefore < 0
        || metas < 1
        || metas > 5
        || metas % 2 == 0
        || (cluster.runsAlready() && (metas > 1 || readsAnywhere))) {
      throw CommandFailure.wrongUse(
          "--metas is 1, 3 or 5 and, like --reads-anywhere, not of a cluster that runs already");
    }
    Path disk = options.directory(invocation);
    try (BenchCluster on = open(disk)) {
      String home = on.path("meta");
      on.files().mkdirs(home);
      var meter = new OperationMeter(invocation, options, new CpuMeter(on.processes()));
      before(on.meta(), home);
      for (int depth : options.depths(USUAL_DEPTHS)) {
        meter.measure("meta.create.d" + depth, depth, create(on.meta(), home));
      }
      for (int depth : options.depths(USUAL_DEPTHS)) {
        meter.measure("meta.stat.d" + depth, depth, lookup(on.meta(), home));
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open(Path disk) throws IOException, InterruptedException {
    return cluster.open(
        invocation,
        connector,
        () ->
            metas > 1 || readsAnywhere
                ? BenchCluster.ofGroup(disk, metas, readsAnywhere)
                : BenchCluster.start(
                    disk, false, 1, connector, line -> invocation.err().println(line)));
  }

  private void before(MetaConnection meta, String home) {
    if (filesBefore > 0) {
      long start = System.nanoTime();
      var _ = Callers.run(128, create(meta, home), Long.MAX_VALUE, filesBefore, new Latencies());
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

  private Callers.Step create(MetaConnection meta, String home) {
    return _ -> {
      var _ =
          meta.call(
              NamespaceRequest.newBuilder()
                  .setCreate(
                      Create.newBuilder()
                          .setAt(at(home, made.incrementAndGet()))
                          .setMode(0644)
                          .setExclusive(true)));
      return 1;
    };
  }

  private Callers.Step lookup(MetaConnection meta, String home) {
    return random -> {
      // Those that were made last may still be under way.
      long known = Math.max(1, Math.min(PROBES_MAX, made.get() - 1024));
      var _ =
          meta.call(
              NamespaceRequest.newBuilder()
                  .setLookup(Lookup.newBuilder().setAt(at(home, 1 + random.nextLong(known)))));
      return 1;
    };
  }
}
