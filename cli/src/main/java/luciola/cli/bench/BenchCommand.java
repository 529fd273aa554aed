package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Callable;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.ReplicaSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code luciola bench}: figures beside what the machine does by itself in the same minute. */
@Command(
    name = "bench",
    description = "Measures reads, writes and the chunk engine beside the machine's own limits.")
public final class BenchCommand implements Runnable {
  @CommandLine.Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation, Connector connector) {
    return new CommandLine(new BenchCommand())
        .addSubcommand(new ReadBench(invocation, connector))
        .addSubcommand(new WriteBench(invocation, connector))
        .addSubcommand(new MountBench(invocation, connector))
        .addSubcommand(new RingBench(invocation, connector))
        .addSubcommand(new StorageBench(invocation))
        .addSubcommand(new FilesBench(invocation, connector))
        .addSubcommand(new MetaBench(invocation, connector));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "which? bench read, write, mount, ring, storage, files or meta");
    }
  }

  /** Makes a file to be read. */
  static void fill(LuciolaFileSystem files, String path, long fileBytes) {
    MemorySegment block = Arena.ofAuto().allocate(4 << 20, 4096);
    block.fill((byte) 9);
    try (WritableFile file = files.openWrite(path, OpenOptions.CREATE)) {
      for (long at = 0; at < fileBytes; at += block.byteSize()) {
        file.write(at, block);
      }
    }
  }

  @Command(name = "read", description = "One client reads, from the servers' page caches.")
  static final class ReadBench extends ClusterBench {
    @Option(
        names = "--batch",
        paramLabel = "N",
        defaultValue = "1",
        description = "Ranges in one request (${DEFAULT-VALUE}).")
    private int batch;

    ReadBench(Invocation invocation, Connector connector) {
      super(invocation, connector);
    }

    @Override
    List<BenchCase> cases(CaseOptions options, int replicas) {
      return options.cases(
          Work.READ,
          batch,
          replicas,
          List.of(
              of(Pattern.SEQUENTIAL, 4 << 20, 4, 1, replicas),
              of(Pattern.SEQUENTIAL, 16 << 20, 2, 1, replicas),
              of(Pattern.SEQUENTIAL, 1 << 20, 1, 1, replicas),
              of(Pattern.SEQUENTIAL, 64 << 10, 16, 1, replicas),
              of(Pattern.RANDOM, 1 << 20, 8, 1, replicas),
              of(Pattern.RANDOM, 64 << 10, 16, 1, replicas),
              of(Pattern.RANDOM, 4 << 10, 1, 1, replicas),
              of(Pattern.RANDOM, 4 << 10, 64, 1, replicas),
              of(Pattern.RANDOM, 4 << 10, 8, 256, replicas)));
    }

    private static BenchCase of(Pattern pattern, int bytes, int depth, int batch, int replicas) {
      return new BenchCase(Work.READ, pattern, bytes, depth, batch, replicas);
    }

    @Override
    void prepare(BenchCluster on, long fileBytes) {
      fill(on.files(), on.path("read"), fileBytes);
    }

    @Override
    Load load(BenchCluster on, BenchCase of, long fileBytes) {
      return new ReadLoad(on.files(), of, on.path("read"));
    }
  }

  @Command(name = "write", description = "One client writes, durably on every replica.")
  static final class WriteBench extends ClusterBench {
    WriteBench(Invocation invocation, Connector connector) {
      super(invocation, connector);
    }

    @Override
    List<BenchCase> cases(CaseOptions options, int replicas) {
      return options.cases(
          Work.WRITE,
          1,
          replicas,
          List.of(
              of(Pattern.STREAM, 4 << 20, 1, replicas),
              of(Pattern.SEQUENTIAL, 4 << 20, 4, replicas),
              of(Pattern.SEQUENTIAL, 16 << 20, 2, replicas),
              of(Pattern.SEQUENTIAL, 64 << 10, 16, replicas),
              of(Pattern.SEQUENTIAL, 4 << 10, 1, replicas),
              of(Pattern.RANDOM, 4 << 10, 1, replicas),
              of(Pattern.RANDOM, 4 << 10, 64, replicas)));
    }

    private static BenchCase of(Pattern pattern, int bytes, int depth, int replicas) {
      return new BenchCase(Work.WRITE, pattern, bytes, depth, 1, replicas);
    }

    @Override
    Load load(BenchCluster on, BenchCase of, long fileBytes) {
      return new WriteLoad(on.files(), of, on.path(of.label()), fileBytes);
    }
  }

  @Command(
      name = "storage",
      description = "The chunk engine by itself: durable writes and verified reads, no network.")
  static final class StorageBench implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin private final CaseOptions options = new CaseOptions();

    @Option(
        names = "--work",
        split = ",",
        paramLabel = "WORK",
        description = "With --size and the like: read, write or both (read,write).")
    private List<String> works = List.of("read", "write");

    StorageBench(Invocation invocation) {
      this.invocation = invocation;
    }

    private List<BenchCase> cases(Work work) {
      boolean writes = work == Work.STORAGE_WRITE;
      return options.cases(
          work,
          1,
          1,
          writes
              ? List.of(
                  of(work, Pattern.SEQUENTIAL, 4 << 20, 1),
                  of(work, Pattern.SEQUENTIAL, 4 << 20, 4),
                  of(work, Pattern.SEQUENTIAL, 64 << 10, 16),
                  of(work, Pattern.RANDOM, 4 << 10, 1),
                  of(work, Pattern.RANDOM, 4 << 10, 64))
              : List.of(
                  of(work, Pattern.SEQUENTIAL, 4 << 20, 1),
                  of(work, Pattern.SEQUENTIAL, 1 << 20, 2),
                  of(work, Pattern.RANDOM, 64 << 10, 1),
                  of(work, Pattern.RANDOM, 4 << 10, 1),
                  of(work, Pattern.RANDOM, 4 << 10, 2)));
    }

    private static BenchCase of(Work work, Pattern pattern, int bytes, int depth) {
      return new BenchCase(work, pattern, bytes, depth, 1, 1);
    }

    @Override
    public Integer call() throws IOException {
      var report = new Report(invocation, options.json());
      try (var folder = new BenchFolder(options.directory(invocation));
          ChunkEngine engine =
              ChunkEngine.open("bench", folder.path(), EngineConfig.DEFAULTS, ReplicaSource.NONE)) {
        Meter meter = options.meter(invocation, new CpuMeter(List.of()));
        int file = 1;
        for (Work work : List.of(Work.STORAGE_WRITE, Work.STORAGE_READ)) {
          if (works.contains(work == Work.STORAGE_WRITE ? "write" : "read")) {
            for (BenchCase each : cases(work)) {
              if (each.busier().isPresent()) {
                try (Load busier = new StorageLoad(engine, each.busier().get(), file++)) {
                  meter.warmUp(busier);
                }
              }
              try (Load load = new StorageLoad(engine, each, file++)) {
                report.add(meter.measure(each, load));
              }
            }
          }
        }
      }
      return ExitCode.DONE;
    }
  }
}
