package luciola.cli.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import luciola.cli.local.JavaCommand;
import luciola.cli.local.LocalCluster;
import luciola.cli.operate.ClusterView;
import luciola.cli.source.FileSource;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.Units;
import luciola.cli.train.TrainEvent;
import luciola.client.LuciolaFileSystem;
import luciola.loader.checkpoint.Checkpoint;
import luciola.loader.checkpoint.CheckpointReader;
import luciola.loader.dataset.DatasetPacker;
import luciola.loader.dataset.DatasetVerifier;
import luciola.loader.train.TrainingCheckpoint;

/**
 * The main job, stage by stage, on a cluster that runs. Every stage makes its claims in {@link
 * Checks}; the demo has succeeded when all {@link #CLAIMS} were made and hold.
 */
final class Demo {
  /** Claims that a whole demo makes. */
  static final int CLAIMS = 11;

  private static final String FILES = "/demo/files";
  private static final String CORPUS = "/demo/corpus";
  private static final String CHECKPOINTS = "/demo/checkpoints";
  private static final String VICTIM = LocalCluster.storage(2);
  private static final int PARALLEL = 64;
  private static final int LOSS_STEPS = 5;
  private static final long STEPS_MAX = 1_000_000;
  private static final long SEED = 20_251;
  private static final long STAGE_SECONDS_MAX = 600;
  private static final Duration POLL = Duration.ofMillis(50);

  private final LocalCluster cluster;
  private final boolean processes;
  private final LuciolaFileSystem files;
  private final FileSource source;
  private final DemoPlan plan;
  private final Screen screen;
  private final Checks checks;
  private final Path logs;
  private final List<String> rates = new ArrayList<>();

  Demo(
      LocalCluster cluster,
      boolean processes,
      LuciolaFileSystem files,
      FileSource source,
      DemoPlan plan,
      Screen screen,
      Checks checks,
      Path logs) {
    this.cluster = cluster;
    this.processes = processes;
    this.files = files;
    this.source = source;
    this.plan = plan;
    this.screen = screen;
    this.checks = checks;
    this.logs = logs;
  }

  /** Lines of figures for the summary. */
  List<String> rates() {
    return List.copyOf(rates);
  }

  void run() throws IOException, InterruptedException {
    serves();
    imports();
    packs();
    trains();
    verifies();
    replication();
  }

  private void serves() {
    ClusterView view = cluster.view();
    checks.add(
        "the cluster serves: every chain has 3 serving replicas",
        cluster.healthy(view),
        view.chainsWhole() + " of " + view.chains().size() + " chains whole");
  }

  private void imports() throws IOException {
    screen.heading("Importing " + source.description() + " as files");
    TreeImport.Imported done =
        new TreeImport(files, FILES, PARALLEL)
            .run(source, plan.filesMax(), count -> screen.progress(count + " files"));
    String seen =
        String.format(
            Locale.ROOT,
            "%d files, %s in %.1f s: %.0f files/s, %s, each durable on 3 replicas",
            done.files(),
            Units.bytes(done.bytes()),
            done.seconds(),
            done.files() / done.seconds(),
            rate(done.bytes(), done.seconds()));
    screen.line(seen);
    rates.add("import        " + seen);
    checks.add("real files were imported", done.files() > 0 && done.bytes() > 0, seen);
  }

  private void packs() {
    screen.heading("Packing them into a token dataset (bytes as tokens)");
    long start = System.nanoTime();
    DatasetPacker.Packed packed;
    try (var documents = new StoredDocuments(files, FILES)) {
      packed =
          new DatasetPacker(
                  files, bytes -> screen.progress(Units.bytes(bytes) + " of documents packed"))
              .packByteTokens(CORPUS, documents, OptionalInt.of(0));
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    DatasetVerifier.Report report = new DatasetVerifier(files).verify(CORPUS);
    String seen =
        String.format(
            Locale.ROOT,
            "%d documents, %d tokens in %.1f s (%s); read back and verified",
            packed.documents(),
            packed.tokens(),
            seconds,
            rate(packed.bytes(), seconds));
    screen.line(seen);
    rates.add("pack          " + seen);
    checks.add("the dataset is whole", report.clean() && report.checksummed(), seen);
  }

  private void trains() throws IOException, InterruptedException {
    screen.heading(
        "Training a byte-level language model in a worker process, batches through shared memory");
    long started = System.nanoTime();
    try (Worker worker = Worker.start(command(STEPS_MAX, false), logs.resolve("train-1.log"))) {
      TrainingRun run = worker.run();
      waitFor(worker, "the first steps", () -> shown(run).lastStep() >= plan.killAfterSteps());
      long stepAtKill = run.lastStep();
      takeDown();
      waitFor(worker, "the manager to take it out of its chains", () -> degraded(shownView(run)));
      ClusterView down = cluster.view();
      screen.line(
          "without it, at step "
              + run.lastStep()
              + ": "
              + down.chainsWhole()
              + " of "
              + down.chains().size()
              + " chains whole, training goes on");
      long stepAtRestart = run.lastStep() + 1;
      waitFor(worker, "steps without the server", () -> shown(run).lastStep() > stepAtRestart);
      resyncs(worker, run);
      waitFor(
          worker,
          "the training time",
          () ->
              System.nanoTime() - started > Duration.ofSeconds(plan.trainSeconds()).toNanos()
                  && shown(run).lastStep() >= newestCheckpoint() + plan.repeatedSteps());
      worker.kill();
      screen.line("killed the training worker with SIGKILL after step " + run.lastStep());
      trained(run, stepAtKill);
      resumes(run);
    }
  }

  private void resyncs(Worker worker, TrainingRun run) throws IOException, InterruptedException {
    cluster.restart(VICTIM);
    screen.line("started " + VICTIM + " again after step " + run.lastStep());
    long restarted = System.nanoTime();
    waitFor(worker, "resync of " + VICTIM, () -> cluster.healthy(shownView(run)));
    String seen =
        String.format(
            Locale.ROOT,
            "%s serves again in all its chains %.1f s after its start, under load",
            VICTIM,
            (System.nanoTime() - restarted) / 1e9);
    screen.line(seen);
    rates.add("resync        " + seen);
    checks.add("the restarted server was filled up and serves again", true, seen);
  }

  private ClusterView shownView(TrainingRun run) {
    var _ = shown(run);
    return cluster.view();
  }

  private static boolean degraded(ClusterView view) {
    return view.chainsWhole() < view.chains().size();
  }

  private long newestCheckpoint() {
    return new CheckpointReader(files, CHECKPOINTS).latest().orElse(0);
  }

  private void takeDown() throws InterruptedException {
    if (processes) {
      cluster.kill(VICTIM);
      screen.line("killed " + VICTIM + " with SIGKILL");
    } else {
      cluster.stop(VICTIM);
      screen.line("stopped " + VICTIM + " (in one JVM there is no process to kill)");
    }
  }

  private TrainingRun shown(TrainingRun run) {
    List<TrainEvent.Stepped> steps = run.steps();
    if (!steps.isEmpty()) {
      TrainEvent.Stepped last = steps.getLast();
      screen.progress(
          String.format(
              Locale.ROOT,
              "step %d  loss %.3f  %.0f tokens/s  data wait %.1f ms",
              last.step(),
              last.loss(),
              last.tokens() / (last.computeSeconds() + last.dataWaitSeconds()),
              last.dataWaitSeconds() * 1e3));
    }
    return run;
  }

  private void trained(TrainingRun run, long stepAtKill) {
    double first = run.meanLoss(true, LOSS_STEPS);
    double last = run.meanLoss(false, LOSS_STEPS);
    TrainingRun.Shares shares = run.shares();
    String loss =
        String.format(
            Locale.ROOT, "%.3f -> %.3f nats per byte in %d steps", first, last, run.lastStep());
    screen.line("loss " + loss);
    checks.add("the loss went down", last < first - 0.5, loss);
    checks.add(
        (processes ? "a storage-server was killed" : "a storage-server was stopped")
            + " and training went on without an error",
        stepAtKill > 0 && run.lastStep() > stepAtKill,
        "after step " + stepAtKill + " of " + run.lastStep());
    String stall =
        String.format(
            Locale.ROOT, "longest stall of a step %.1f ms", shares.checkpointSecondsMax() * 1e3);
    var reader = new CheckpointReader(files, CHECKPOINTS);
    long newest = reader.latest().orElse(0);
    Checkpoint checkpoint = reader.open(newest);
    checkpoint.verify();
    checks.add(
        "checkpoints were written in the background and verify",
        newest > 0 && newest % plan.checkpointEvery() == 0,
        "newest is of step " + newest + ", " + stall);
    String updates = TrainingCheckpoint.emaUpdates(checkpoint) + " updates at step " + newest;
    checks.add(
        "the EMA was updated after every step and saved with the checkpoint",
        TrainingCheckpoint.emaUpdates(checkpoint) == newest,
        updates);
    rates.add(
        String.format(
            Locale.ROOT,
            "train         %d steps, %.0f tokens/s; of the time: data wait %.2f %%, EMA %.2f %%,"
                + " checkpoints %.2f %% (%s)",
            run.lastStep(),
            shares.tokens() / shares.totalSeconds(),
            100 * shares.waitSeconds() / shares.totalSeconds(),
            100 * shares.emaSeconds() / shares.totalSeconds(),
            100 * shares.checkpointSeconds() / shares.totalSeconds(),
            stall));
  }

  private void resumes(TrainingRun first) throws IOException, InterruptedException {
    long checkpoint = newestCheckpoint();
    long until = first.lastStep();
    screen.heading("Restoring a new worker from the checkpoint of step " + checkpoint);
    try (Worker worker = Worker.start(command(until, true), logs.resolve("train-2.log"))) {
      worker.await(STAGE_SECONDS_MAX);
      TrainingRun second = worker.run();
      String saved =
          first.step(checkpoint).map(TrainEvent.Stepped::parametersCrc).orElse("missing");
      String restored = second.started().map(TrainEvent.Started::parametersCrc).orElse("nothing");
      checks.add(
          "the restored weights are the saved ones",
          restored.equals(saved),
          "CRC32C " + restored + " after the restore, " + saved + " when saved");
      long same =
          second.steps().stream()
              .filter(step -> first.step(step.step()).filter(was -> alike(was, step)).isPresent())
              .count();
      String seen =
          String.format(
              Locale.ROOT,
              "%d of %d repeated steps (%d to %d) had the same samples and the same loss, bit for"
                  + " bit",
              same,
              until - checkpoint,
              checkpoint + 1,
              until);
      screen.line(seen);
      checks.add(
          "training continues with exactly the next batch",
          same == until - checkpoint && second.steps().size() == same && same > 0,
          seen);
    }
  }

  private static boolean alike(TrainEvent.Stepped a, TrainEvent.Stepped b) {
    return a.samples().equals(b.samples()) && a.lossBits().equals(b.lossBits());
  }

  private void verifies() throws IOException {
    screen.heading("Comparing every file with its source, byte for byte");
    TreeVerify.Verified done =
        new TreeVerify(files, FILES, PARALLEL)
            .run(source, plan.filesMax(), count -> screen.progress(count + " files"));
    String seen =
        String.format(
            Locale.ROOT,
            "%d files, %s in %.1f s: %.0f files/s, %s, %d differences",
            done.files(),
            Units.bytes(done.bytes()),
            done.seconds(),
            done.files() / done.seconds(),
            rate(done.bytes(), done.seconds()),
            done.different().size());
    screen.line(seen);
    done.different().forEach(screen::line);
    rates.add("verify        " + seen);
    checks.add(
        "every file's bytes are those of the source",
        done.different().isEmpty() && done.files() > 0,
        seen);
  }

  private void replication() {
    ClusterView view = cluster.view();
    rates.add(
        "replication   %d of %d chains whole, %d of %d storage-servers live"
            .formatted(
                view.chainsWhole(), view.chains().size(), view.nodesAlive(), view.nodes().size()));
  }

  private List<String> command(long steps, boolean restore) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--json",
                "--cluster",
                String.join(",", cluster.metaServers()),
                "--agent",
                cluster.agentSocket().orElseThrow().toString(),
                "--dataset",
                CORPUS,
                "--checkpoints",
                CHECKPOINTS,
                "--steps",
                Long.toString(steps),
                "--checkpoint-every",
                Integer.toString(plan.checkpointEvery()),
                "--batch",
                Integer.toString(plan.batch()),
                "--context",
                Integer.toString(plan.context()),
                "--width",
                Integer.toString(plan.width()),
                "--layers",
                Integer.toString(plan.layers()),
                "--seed",
                Long.toString(SEED)));
    if (restore) {
      arguments.add("--restore");
    }
    return JavaCommand.of(List.of(JavaCommand.VECTORS, "-Xmx2g"), arguments);
  }

  private static void waitFor(Worker worker, String what, BooleanSupplier condition)
      throws InterruptedException {
    waitFor(
        what,
        () -> {
          if (condition.getAsBoolean()) {
            return true;
          }
          if (!worker.alive() && !condition.getAsBoolean()) {
            throw CommandFailure.failed("the training worker ended before " + what);
          }
          return false;
        });
  }

  private static void waitFor(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(STAGE_SECONDS_MAX).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw CommandFailure.failed("waited " + STAGE_SECONDS_MAX + " s in vain for " + what);
      }
      Thread.sleep(POLL);
    }
  }

  private static String rate(long bytes, double seconds) {
    return Units.rate(bytes, (long) (seconds * 1e9));
  }
}
