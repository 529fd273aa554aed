package luciola.cli.train;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/** What a training worker tells on its standard output with {@code --json}, one object a line. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = TrainEvent.Started.class, name = "start"),
  @JsonSubTypes.Type(value = TrainEvent.Stepped.class, name = "step"),
  @JsonSubTypes.Type(value = TrainEvent.Ended.class, name = "end")
})
public sealed interface TrainEvent {

  /**
   * The worker has its weights and its dataset.
   *
   * @param step steps done before this run: 0, or the step of the checkpoint restored from
   * @param position the plan's position that it starts at
   * @param parameters number of weights
   * @param parametersCrc CRC32C of the weights, hexadecimal
   * @param samples samples of an epoch
   */
  record Started(long step, String position, long parameters, String parametersCrc, long samples)
      implements TrainEvent {}

  /**
   * A step is done.
   *
   * @param lossBits the loss as the bits of a double, hexadecimal: equal bits are equal losses
   * @param samples ids of the batch's samples in order
   * @param parametersCrc of the weights after a step that is saved; empty after others
   */
  record Stepped(
      long step,
      double loss,
      String lossBits,
      long tokens,
      double dataWaitSeconds,
      double computeSeconds,
      double emaStallSeconds,
      double checkpointStallSeconds,
      List<Long> samples,
      String parametersCrc)
      implements TrainEvent {}

  /**
   * The run is over and everything it saved is committed.
   *
   * @param lastCheckpoint step of the newest committed checkpoint of this run; -1 for none
   * @param emaUpdates updates of the moving average
   */
  record Ended(long step, String parametersCrc, long lastCheckpoint, long emaUpdates)
      implements TrainEvent {}
}
