package luciola.loader.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import luciola.loader.checkpoint.Checkpoint;
import luciola.loader.checkpoint.CheckpointContents;
import luciola.loader.checkpoint.CheckpointContents.TensorFile;
import luciola.loader.ema.EmaShard;
import luciola.loader.model.LanguageModel;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * What of a training run goes into a checkpoint, and back: the parameters, the optimiser's moments,
 * the average with its count of updates, the loader's position. With all of them a resumed run has
 * the same bits as one that was never stopped.
 */
public final class TrainingCheckpoint {
  /** The parameters. */
  public static final String MODEL_FILE = "model.safetensors";

  /** The optimiser's moments. */
  public static final String OPTIMIZER_FILE = "optimizer.safetensors";

  /** The moving average, under the names of the parameters. */
  public static final String EMA_FILE = "ema.safetensors";

  private static final String EMA_UPDATES = "ema.updates";
  private static final String EMA_DECAY = "ema.decay";

  private TrainingCheckpoint() {}

  /**
   * Views of the live state.
   *
   * @param ema a share that covers all parameters, at rest
   */
  static CheckpointContents contents(LanguageModel model, @Nullable EmaShard ema, String position) {
    List<TensorFile> files = new ArrayList<>();
    Map<String, String> metadata = new TreeMap<>();
    files.add(new TensorFile(MODEL_FILE, model.tensors()));
    files.add(new TensorFile(OPTIMIZER_FILE, model.optimizerTensors()));
    if (ema != null) {
      files.add(new TensorFile(EMA_FILE, ema.views(specs(model))));
      metadata.put(EMA_UPDATES, Long.toString(ema.updates()));
      metadata.put(EMA_DECAY, Double.toString(ema.decay().decay()));
    }
    return new CheckpointContents(model.stepsDone(), position, metadata, files);
  }

  private static List<TensorSpec> specs(LanguageModel model) {
    return model.tensors().stream().map(TensorView::spec).toList();
  }

  /**
   * Fills model, optimiser and average from a checkpoint; training goes on after its step, with the
   * batches after its position.
   *
   * @param ema a share that covers all parameters; null to leave the average out
   * @throws LuciolaException CORRUPT_DATA or INVALID_ARGUMENT, as {@link Checkpoint#load(String,
   *     List)}; the model then holds anything
   */
  public static void restore(Checkpoint checkpoint, LanguageModel model, @Nullable EmaShard ema) {
    checkpoint.load(MODEL_FILE, model.tensors());
    checkpoint.load(OPTIMIZER_FILE, model.optimizerTensors());
    model.restored(checkpoint.step());
    if (ema != null) {
      checkpoint.load(EMA_FILE, ema.views(specs(model)));
      ema.restored(emaUpdates(checkpoint));
    }
  }

  /** Updates that the saved average had seen. */
  public static long emaUpdates(Checkpoint checkpoint) {
    String updates = checkpoint.manifest().metadata().getOrDefault(EMA_UPDATES, "");
    try {
      return Long.parseLong(updates);
    } catch (NumberFormatException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "checkpoint restore: path=%s %s=\"%s\": not a number"
              .formatted(checkpoint.path(), EMA_UPDATES, updates),
          e);
    }
  }
}
