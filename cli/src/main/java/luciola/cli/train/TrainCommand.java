package luciola.cli.train;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import luciola.loader.agent.AgentClient;
import luciola.loader.agent.DatasetRequest;
import luciola.loader.checkpoint.Checkpoint;
import luciola.loader.checkpoint.CheckpointConfig;
import luciola.loader.checkpoint.CheckpointReader;
import luciola.loader.checkpoint.CheckpointWriter;
import luciola.loader.ema.EmaDecay;
import luciola.loader.ema.EmaShard;
import luciola.loader.ema.EmaUpdater;
import luciola.loader.ema.ShardRange;
import luciola.loader.model.AdamConfig;
import luciola.loader.model.LanguageModel;
import luciola.loader.model.ModelConfig;
import luciola.loader.order.LastBatch;
import luciola.loader.safetensors.DType;
import luciola.loader.train.TrainingCheckpoint;
import luciola.loader.train.TrainingLoop;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "train",
    description = {
      "Trains a small byte-level language model on the processor: batches from a dataset through an"
          + " agent's shared memory, checkpoints and moving average (EMA) in the background.",
      "On SIGTERM the worker finishes its step, saves and leaves."
    })
public final class TrainCommand implements Callable<Integer> {
  private static final int EMA_LAG_MAX = 2;
  private static final long STOP_SECONDS_MAX = 60;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Option(
      names = "--agent",
      required = true,
      paramLabel = "SOCKET",
      description = "Socket of the agent.")
  private Path agent = Path.of("agent.sock");

  @Option(names = "--dataset", required = true, paramLabel = "PATH", description = "Token dataset.")
  private String dataset = "";

  @Option(
      names = "--checkpoints",
      required = true,
      paramLabel = "PATH",
      description = "Directory of the run's checkpoints, made if missing.")
  private String checkpoints = "";

  @Option(names = "--steps", paramLabel = "N", defaultValue = "1000", description = "Last step.")
  private long steps;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "100",
      description = "Steps between checkpoints (${DEFAULT-VALUE}).")
  private int checkpointEvery;

  @Option(
      names = "--keep-checkpoints",
      paramLabel = "N",
      defaultValue = "3",
      description = "Newest checkpoints that stay (${DEFAULT-VALUE}).")
  private int keepCheckpoints;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "16",
      description = "Windows in a batch (${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--context",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of a window (${DEFAULT-VALUE}).")
  private int context;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "128",
      description = "Width of the model (${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "2",
      description = "Layers of the model (${DEFAULT-VALUE}).")
  private int layers;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads that compute; 0: one for each processor. Results do not depend on it.")
  private int threads;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of weights and order.")
  private long seed;

  @Option(
      names = "--ema-decay",
      paramLabel = "X",
      defaultValue = "0.999",
      description = "Decay of the moving average (${DEFAULT-VALUE}).")
  private double emaDecay;

  @Option(names = "--restore", description = "Go on from the newest checkpoint.")
  private boolean restore;

  @Option(names = "--json", description = "Progress as one JSON object a line.")
  private boolean json;

  public TrainCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws InterruptedException {
    try (LuciolaFileSystem files = cluster.connect(connector, invocation);
        var model = new LanguageModel(model(), seed);
        var average =
            new EmaShard(ShardRange.of(model.parameters(), 0, 1), new EmaDecay(emaDecay, true))) {
      if (!restore) {
        average.start(model.flatParameters(), DType.F32);
      }
      Optional<String> position =
          restore ? Optional.of(restored(files, model, average)) : Optional.empty();
      try (var source = AgentClient.open(invocation.resolve(agent), request(position));
          var ema = new EmaUpdater(average, DType.F32, EMA_LAG_MAX);
          var writer =
              new CheckpointWriter(files, CheckpointConfig.of(checkpoints, keepCheckpoints))) {
        train(model, source, ema, average, writer);
      }
    }
    return ExitCode.DONE;
  }

  private void train(
      LanguageModel model,
      AgentClient source,
      EmaUpdater ema,
      EmaShard average,
      CheckpointWriter writer)
      throws InterruptedException {
    var report = new TrainReport(invocation.out(), json, model, checkpointEvery);
    report.started(source.startPosition(), source.samples());
    var loop = new TrainingLoop(model, ema, writer, checkpointEvery, report);
    var over = new CountDownLatch(1);
    Thread stop = Thread.ofPlatform().unstarted(() -> stop(loop, over));
    Runtime.getRuntime().addShutdownHook(stop);
    try {
      loop.run(source, steps);
      OptionalLong last = writer.lastCommitted();
      report.ended(last.orElse(-1), average.updates());
    } finally {
      over.countDown();
      removeHook(stop);
    }
  }

  private static void stop(TrainingLoop loop, CountDownLatch over) {
    loop.requestStop();
    try {
      boolean _ = over.await(STOP_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // The process is ending: the hook runs already.
    }
  }

  private ModelConfig model() {
    int processors = Runtime.getRuntime().availableProcessors();
    ModelConfig shape = ModelConfig.DEFAULT;
    return new ModelConfig(
        shape.vocabulary(),
        context,
        width,
        Math.max(1, width / 32),
        layers,
        shape.partitions(),
        threads == 0 ? Math.min(processors, shape.partitions()) : threads,
        AdamConfig.DEFAULT);
  }

  private DatasetRequest request(Optional<String> position) {
    DatasetRequest request =
        DatasetRequest.of(dataset, context, batch, seed).ending(LastBatch.DROP);
    return position.map(request::from).orElse(request);
  }

  private String restored(LuciolaFileSystem files, LanguageModel model, EmaShard average) {
    var reader = new CheckpointReader(files, checkpoints);
    long step =
        reader
            .latest()
            .orElseThrow(
                () -> CommandFailure.failed("no checkpoint to restore from in " + checkpoints));
    Checkpoint checkpoint = reader.open(step);
    TrainingCheckpoint.restore(checkpoint, model, average);
    return checkpoint.position();
  }
}
