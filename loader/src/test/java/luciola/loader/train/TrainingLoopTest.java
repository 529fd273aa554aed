package luciola.loader.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import luciola.client.memory.MemoryFileSystem;
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
import luciola.loader.safetensors.DType;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;

class TrainingLoopTest {
  private static final String ROOT = "/runs/one";
  private static final byte[] TEXT =
      "All happy families are alike; each unhappy family is unhappy in its own way. "
          .repeat(20)
          .getBytes(StandardCharsets.US_ASCII);
  private static final ModelConfig CONFIG =
      new ModelConfig(256, 16, 32, 2, 1, 2, 2, new AdamConfig(3e-3, 5, 0.9, 0.98, 1e-8, 0.01, 1));

  private final MemoryFileSystem files = new MemoryFileSystem();

  /** One life of a trainer: what it saw and what it left. */
  private static final class Life implements TrainingListener {
    final List<StepReport> reports = new ArrayList<>();
    final List<Long> samples = new ArrayList<>();
    int parametersCrc;
    float[] ema = {};

    @Override
    public void stepDone(StepReport report) {
      reports.add(report);
    }

    @Override
    public void batchTaken(long step, TokenBatch batch) {
      for (int row = 0; row < batch.rows(); row++) {
        samples.add(batch.sampleId(row));
      }
    }

    List<Double> losses() {
      return reports.stream().map(StepReport::loss).toList();
    }
  }

  /** Trains to a step, from the newest checkpoint or from the start, with another first seed. */
  private Life live(long seed, long untilStep, int checkpointEverySteps)
      throws InterruptedException {
    Life life = new Life();
    try (LanguageModel model = new LanguageModel(CONFIG, seed);
        EmaShard shard =
            new EmaShard(ShardRange.of(model.parameters(), 0, 1), new EmaDecay(0.9, true))) {
      String position = "";
      CheckpointReader reader = new CheckpointReader(files, ROOT);
      if (reader.latest().isPresent()) {
        Checkpoint checkpoint = reader.open(reader.latest().getAsLong());
        TrainingCheckpoint.restore(checkpoint, model, shard);
        position = checkpoint.position();
      }
      try (EmaUpdater ema = new EmaUpdater(shard, DType.F32, 2);
          CheckpointWriter writer = new CheckpointWriter(files, CheckpointConfig.of(ROOT, 3));
          MemoryBatchSource source = new MemoryBatchSource(TEXT, 4, 17, 1000, position)) {
        TrainingLoop loop = new TrainingLoop(model, ema, writer, checkpointEverySteps, life);
        assertEquals(untilStep, loop.run(source, untilStep));
      }
      life.parametersCrc = model.parametersCrc();
      life.ema = shard.values().toArray(ValueLayout.JAVA_FLOAT);
    }
    return life;
  }

  @Test
  void aRestoredRunGoesOnBitForBit() throws InterruptedException {
    Life whole = live(1, 20, 10);
    CheckpointReader reader = new CheckpointReader(files, ROOT);
    assertEquals(List.of(10L, 20L), reader.steps());
    reader.remove(20);

    Life second = live(99, 20, 10);
    assertEquals(whole.losses().subList(10, 20), second.losses());
    assertEquals(whole.samples.subList(40, 80), second.samples);
    assertEquals(whole.parametersCrc, second.parametersCrc);
    assertArrayEquals(whole.ema, second.ema);
    assertEquals(20, second.reports.getLast().step());
    assertEquals("20", second.reports.getLast().position());
  }

  @Test
  void theReportSaysWhatAStepWas() throws InterruptedException {
    Life life = live(1, 4, 2);
    assertEquals(List.of(1L, 2L, 3L, 4L), life.reports.stream().map(StepReport::step).toList());
    for (StepReport report : life.reports) {
      assertEquals(4 * 16, report.tokens());
      assertTrue(report.computeNanos() > 0);
      assertEquals(report.step() % 2 == 0, report.checkpointStallNanos() > 0);
    }
  }

  @Test
  void theAverageFollowsTheParametersButIsNotThem() throws InterruptedException {
    Life life = live(1, 30, 30);
    CheckpointReader reader = new CheckpointReader(files, ROOT);
    Checkpoint checkpoint = reader.open(30);
    assertEquals("30", checkpoint.manifest().metadata().get("ema.updates"));
    try (LanguageModel model = new LanguageModel(CONFIG, 5)) {
      checkpoint.load(TrainingCheckpoint.EMA_FILE, model.tensors());
      assertNotEquals(life.parametersCrc, model.parametersCrc());
      try (MemoryBatchSource source = new MemoryBatchSource(TEXT, 4, 17, 1000, "500");
          TokenBatch batch = source.next().orElseThrow()) {
        double loss = model.loss(batch.tokens(), 4, 17, 1);
        assertTrue(loss < life.losses().getFirst() - 0.5, "loss=" + loss);
      }
    }
  }

  @Test
  void stopsWithACheckpointWhenAsked() throws InterruptedException {
    try (LanguageModel model = new LanguageModel(CONFIG, 1);
        CheckpointWriter writer = new CheckpointWriter(files, CheckpointConfig.of(ROOT, 3));
        MemoryBatchSource source = new MemoryBatchSource(TEXT, 4, 17, 1000, "")) {
      TrainingLoop[] loop = new TrainingLoop[1];
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void stepDone(StepReport report) {}

            @Override
            public void batchTaken(long step, TokenBatch batch) {
              if (step == 7) {
                loop[0].requestStop();
              }
            }
          };
      loop[0] = new TrainingLoop(model, null, writer, 100, listener);
      assertEquals(7, loop[0].run(source, 50));
      assertEquals(List.of(7L), new CheckpointReader(files, ROOT).steps());
    }
  }

  @Test
  void endsWithItsSource() throws InterruptedException {
    try (LanguageModel model = new LanguageModel(CONFIG, 1);
        MemoryBatchSource source = new MemoryBatchSource(TEXT, 4, 17, 3, "")) {
      assertEquals(
          3, new TrainingLoop(model, null, null, 10, TrainingListener.NONE).run(source, 50));
    }
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() throws InterruptedException {
    live(1, 2, 2);
    ModelConfig wider = new ModelConfig(256, 16, 64, 2, 1, 2, 1, AdamConfig.DEFAULT);
    Checkpoint checkpoint = new CheckpointReader(files, ROOT).open(2);
    try (LanguageModel model = new LanguageModel(wider, 1)) {
      LuciolaException e =
          assertThrows(
              LuciolaException.class, () -> TrainingCheckpoint.restore(checkpoint, model, null));
      assertEquals(ErrorCode.INVALID_ARGUMENT, e.code());
    }
  }
}
