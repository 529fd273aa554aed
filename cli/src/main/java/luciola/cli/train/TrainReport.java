package luciola.cli.train;

import java.io.PrintStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import luciola.cli.terminal.Json;
import luciola.loader.model.LanguageModel;
import luciola.loader.train.StepReport;
import luciola.loader.train.TokenBatch;
import luciola.loader.train.TrainingListener;

/** Tells on a stream how training goes: JSON for programs, a line every few steps for people. */
final class TrainReport implements TrainingListener {
  private static final int STEPS_A_LINE = 10;
  private static final HexFormat HEX = HexFormat.of();

  private final PrintStream out;
  private final boolean json;
  private final LanguageModel model;
  private final int checkpointEverySteps;
  private List<Long> samples = List.of();

  TrainReport(PrintStream out, boolean json, LanguageModel model, int checkpointEverySteps) {
    this.out = out;
    this.json = json;
    this.model = model;
    this.checkpointEverySteps = checkpointEverySteps;
  }

  void started(String position, long samplesOfEpoch) {
    tell(
        new TrainEvent.Started(
            model.stepsDone(), position, model.parameters(), crc(), samplesOfEpoch),
        String.format(
            Locale.ROOT,
            "%d parameters, %d samples, starting after step %d",
            model.parameters(),
            samplesOfEpoch,
            model.stepsDone()));
  }

  @Override
  public void batchTaken(long step, TokenBatch batch) {
    samples = IntStream.range(0, batch.rows()).mapToObj(batch::sampleId).toList();
  }

  @Override
  public void stepDone(StepReport step) {
    boolean saved = step.step() % checkpointEverySteps == 0;
    if (json) {
      print(
          new TrainEvent.Stepped(
              step.step(),
              step.loss(),
              HEX.toHexDigits(Double.doubleToRawLongBits(step.loss())),
              step.tokens(),
              step.dataWaitNanos() / 1e9,
              step.computeNanos() / 1e9,
              step.emaStallNanos() / 1e9,
              step.checkpointStallNanos() / 1e9,
              samples,
              saved ? crc() : ""));
    } else if (step.step() % STEPS_A_LINE == 0) {
      line(step);
    }
  }

  private void line(StepReport step) {
    double seconds =
        (step.dataWaitNanos()
                + step.computeNanos()
                + step.emaStallNanos()
                + step.checkpointStallNanos())
            / 1e9;
    out.printf(
        Locale.ROOT,
        "step %d  loss %.3f  %.0f tokens/s  data wait %.2f %%%n",
        step.step(),
        step.loss(),
        step.tokens() / seconds,
        step.dataWaitNanos() / 1e7 / seconds);
    out.flush();
  }

  void ended(long lastCheckpoint, long emaUpdates) {
    tell(
        new TrainEvent.Ended(model.stepsDone(), crc(), lastCheckpoint, emaUpdates),
        "done after step " + model.stepsDone() + ", newest checkpoint " + lastCheckpoint);
  }

  private void tell(TrainEvent event, String line) {
    if (json) {
      print(event);
    } else {
      out.println(line);
      out.flush();
    }
  }

  private void print(TrainEvent event) {
    Json.print(out, event);
    out.flush();
  }

  private String crc() {
    return HEX.toHexDigits(model.parametersCrc());
  }
}
