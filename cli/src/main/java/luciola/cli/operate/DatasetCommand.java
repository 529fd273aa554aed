package luciola.cli.operate;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.source.FileSource;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.terminal.Json;
import luciola.cli.terminal.Progress;
import luciola.cli.terminal.Units;
import luciola.client.LuciolaFileSystem;
import luciola.loader.dataset.Dataset;
import luciola.loader.dataset.DatasetPacker;
import luciola.loader.dataset.DatasetVerifier;
import luciola.loader.order.EpochLedger;
import luciola.loader.order.LastBatch;
import luciola.loader.order.OrderPlan;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code luciola dataset}. */
@Command(name = "dataset", description = "Datasets for training: packs and verifies them.")
public final class DatasetCommand implements Runnable {
  @CommandLine.Spec private @Nullable CommandSpec spec;

  /** With its subcommands. */
  public static CommandLine of(Invocation invocation, Connector connector) {
    return new CommandLine(new DatasetCommand())
        .addSubcommand(new Create(invocation, connector))
        .addSubcommand(new Verify(invocation, connector));
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "which? dataset create or dataset verify");
    }
  }

  @Command(
      name = "create",
      description = {
        "Packs files of this machine into a dataset: each file is a document, its bytes are"
            + " tokens.",
        "The dataset appears whole, by one rename."
      })
  static final class Create implements Callable<Integer> {
    private final Invocation invocation;
    private final Connector connector;

    @Mixin private final ClusterOption cluster = new ClusterOption();

    @Parameters(
        index = "0",
        paramLabel = "SOURCE",
        description = "A directory, a .tar, .tar.gz or .zip, or one file, of this machine.")
    private Path source = Path.of("");

    @Parameters(index = "1", paramLabel = "PATH", description = "The dataset to make.")
    private String path = "";

    @Option(names = "--records", description = "As records of any size instead of tokens.")
    private boolean records;

    @Option(
        names = "--end-of-document",
        paramLabel = "BYTE",
        description = "A token, 0 to 255, added to each document.")
    private @Nullable Integer endOfDocument;

    @Option(
        names = "--shard-bytes",
        paramLabel = "N",
        defaultValue = "268435456",
        description = "Of records: a shard ends when it has this size (${DEFAULT-VALUE}).")
    private long shardBytes;

    @Option(
        names = "--files-max",
        paramLabel = "N",
        defaultValue = "2147483647",
        description = "Pack only so many files.")
    private int filesMax;

    @Option(names = "--json", description = "The result as one JSON object.")
    private boolean json;

    Create(Invocation invocation, Connector connector) {
      this.invocation = invocation;
      this.connector = connector;
    }

    @Override
    public Integer call() {
      requireAbsolute(path);
      FileSource files = FileSource.open(invocation.resolve(source));
      DatasetPacker.Packed packed;
      try (LuciolaFileSystem fs = cluster.connect(connector, invocation);
          var documents = new SourceDocuments(files, filesMax);
          var progress = new Progress(invocation, "packed")) {
        var packer = new DatasetPacker(fs, new Steps(progress)::reached);
        int slash = path.lastIndexOf('/');
        if (slash > 0) {
          fs.mkdirs(path.substring(0, slash));
        }
        packed =
            records
                ? packer.packRecords(path, documents, shardBytes)
                : packer.packByteTokens(path, documents, endToken());
      }
      print(packed);
      return ExitCode.DONE;
    }

    private OptionalInt endToken() {
      return endOfDocument == null ? OptionalInt.empty() : OptionalInt.of(endOfDocument);
    }

    private void print(DatasetPacker.Packed packed) {
      if (json) {
        Json.print(invocation.out(), packed);
      } else {
        invocation
            .out()
            .println(
                packed.path()
                    + ": "
                    + Units.count(packed.documents(), "document")
                    + ", "
                    + packed.tokens()
                    + (records ? " bytes" : " tokens")
                    + ", "
                    + Units.bytes(packed.bytes())
                    + ", fingerprint "
                    + String.format("%016x", packed.fingerprint()));
      }
    }
  }

  @Command(
      name = "verify",
      description = {
        "Reads all of a dataset, compares it with its checksums, and proves that the ranks of an",
        "epoch together are given every sample exactly once."
      })
  static final class Verify implements Callable<Integer> {
    private final Invocation invocation;
    private final Connector connector;

    @Mixin private final ClusterOption cluster = new ClusterOption();

    @Parameters(index = "0", paramLabel = "PATH", description = "The dataset.")
    private String path = "";

    @Option(
        names = "--sequence",
        paramLabel = "TOKENS",
        defaultValue = "1024",
        description = "Of tokens: the inputs of one sample (${DEFAULT-VALUE}).")
    private int sequence;

    @Option(
        names = "--world",
        paramLabel = "RANKS",
        defaultValue = "8",
        description = "Ranks of the epoch that is proven (${DEFAULT-VALUE}).")
    private int world;

    @Option(
        names = "--batch",
        paramLabel = "SAMPLES",
        defaultValue = "4",
        description = "Samples in a rank's batch (${DEFAULT-VALUE}).")
    private int batch;

    @Option(
        names = "--seed",
        paramLabel = "N",
        defaultValue = "0",
        description = "Seed of the order (${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--json", description = "The result as one JSON object.")
    private boolean json;

    Verify(Invocation invocation, Connector connector) {
      this.invocation = invocation;
      this.connector = connector;
    }

    private record Result(
        String path, DatasetVerifier.Report report, long samples, boolean exactlyOnce) {}

    @Override
    public Integer call() {
      requireAbsolute(path);
      DatasetVerifier.Report report;
      long samples;
      EpochLedger.Verdict verdict;
      try (LuciolaFileSystem fs = cluster.connect(connector, invocation);
          var progress = new Progress(invocation, "verified")) {
        report = new DatasetVerifier(fs, new Steps(progress)::reached).verify(path);
        try (Dataset dataset = Dataset.open(fs, path, sequence)) {
          samples = dataset.samples();
          var plan = new OrderPlan(dataset.fingerprint(), samples, seed);
          verdict = DatasetVerifier.proveEpoch(plan, 0, world, batch, LastBatch.SHORT);
        }
      }
      return print(report, samples, verdict);
    }

    private int print(DatasetVerifier.Report report, long samples, EpochLedger.Verdict verdict) {
      boolean once = verdict instanceof EpochLedger.Verdict.ExactlyOnce;
      if (json) {
        Json.print(invocation.out(), new Result(path, report, samples, once));
      } else {
        report.faults().forEach(fault -> invocation.out().println("fault: " + fault));
        invocation
            .out()
            .println(
                path
                    + ": "
                    + Units.bytes(report.bytesRead())
                    + (report.checksummed() ? " match their checksums, " : " were read (no sums), ")
                    + Units.count(samples, "sample")
                    + (once ? " given exactly once to " : " NOT given exactly once to ")
                    + Units.count(world, "rank"));
      }
      if (!report.clean() || !once) {
        throw CommandFailure.failed(
            "the dataset is not whole: " + report.faults().size() + " faults, order " + verdict);
      }
      return ExitCode.DONE;
    }
  }

  /** Turns "so many bytes so far" into steps of progress. */
  private static final class Steps {
    private final Progress progress;
    private long before;

    Steps(Progress progress) {
      this.progress = progress;
    }

    void reached(long bytes) {
      progress.found(bytes - before);
      progress.moved(bytes - before);
      progress.fileDone();
      before = bytes;
    }
  }

  private static void requireAbsolute(String path) {
    if (!path.startsWith("/") || path.length() < 2 || path.endsWith("/")) {
      throw CommandFailure.wrongUse("a dataset is an absolute path in Luciola, not '" + path + "'");
    }
    if (List.of(path.split("/")).contains("..")) {
      throw CommandFailure.wrongUse("no .. in a path: " + path);
    }
  }
}
