package luciola.loader.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
import luciola.loader.train.StepReport;
import luciola.loader.train.TrainingCheckpoint;
import luciola.loader.train.TrainingLoop;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole loader: dataset, agent, shared memory, model, average, checkpoints. */
class TrainingThroughAgentTest {
  private static final String RUN = "/runs/a";
  private static final ModelConfig MODEL =
      new ModelConfig(256, 32, 16, 2, 1, 2, 2, AdamConfig.DEFAULT);

  /** Three steps are an epoch, the last of them short. */
  private static final DatasetRequest CORPUS = DatasetRequest.of("/corpus", 32, 300, 9);

  @TempDir Path directory;
  private AgentFixture fixture;

  @BeforeEach
  void start() {
    fixture = new AgentFixture(directory);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  private record Life(List<StepReport> reports, int parametersCrc) {}

  private Life train(DatasetRequest request, LanguageModel model, EmaShard shard, long untilStep)
      throws InterruptedException {
    List<StepReport> reports = new ArrayList<>();
    try (EmaUpdater ema = new EmaUpdater(shard, DType.F32, 2);
        CheckpointWriter writer = new CheckpointWriter(fixture.files, CheckpointConfig.of(RUN, 5));
        AgentClient source = AgentClient.open(fixture.socket, request)) {
      new TrainingLoop(model, ema, writer, 4, reports::add).run(source, untilStep);
    }
    return new Life(reports, model.parametersCrc());
  }

  private static EmaShard shard(LanguageModel model) {
    return new EmaShard(ShardRange.of(model.parameters(), 0, 1), new EmaDecay(0.99, true));
  }

  @Test
  void aRunRestoredOverAnotherConnectionGoesOnBitForBit() throws InterruptedException {
    Life whole;
    try (LanguageModel model = new LanguageModel(MODEL, 1);
        EmaShard shard = shard(model)) {
      whole = train(CORPUS, model, shard, 8);
    }
    long tokens = whole.reports().stream().limit(3).mapToLong(StepReport::tokens).sum();
    assertEquals((fixture.tokens.length - 1) / 32 * 32L, tokens);
    CheckpointReader reader = new CheckpointReader(fixture.files, RUN);
    assertEquals(List.of(4L, 8L), reader.steps());
    reader.remove(8);

    try (LanguageModel model = new LanguageModel(MODEL, 2);
        EmaShard shard = shard(model)) {
      Checkpoint checkpoint = reader.open(4);
      TrainingCheckpoint.restore(checkpoint, model, shard);
      Life second = train(CORPUS.from(checkpoint.position()), model, shard, 8);
      assertEquals(losses(whole).subList(4, 8), losses(second));
      assertEquals(whole.parametersCrc(), second.parametersCrc());
      assertEquals(whole.reports().getLast().position(), second.reports().getLast().position());
    }
    assertTrue(losses(whole).getLast() < losses(whole).getFirst(), losses(whole).toString());
  }

  private static List<Double> losses(Life life) {
    return life.reports().stream().map(StepReport::loss).toList();
  }
}
