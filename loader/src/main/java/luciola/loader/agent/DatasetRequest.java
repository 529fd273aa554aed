package luciola.loader.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import luciola.loader.order.LastBatch;
import luciola.loader.order.LoaderPosition;
import luciola.loader.order.SampleOrder;
import luciola.loader.slot.AgentMessage;
import luciola.loader.slot.Fields;

/**
 * What a trainer wants to be fed.
 *
 * @param path of the dataset in the file system
 * @param sequenceTokens inputs of a token window (a row has one token more); ignored for records
 * @param batch samples of this rank in one step
 * @param rank of the trainers that get different samples, 0 … world-1
 * @param epochs the stream ends before this epoch; 0 for no end
 * @param slots batches in shared memory at once: those held and those read ahead
 * @param position where to go on, a {@link LoaderPosition#text}; empty for the beginning
 */
public record DatasetRequest(
    String path,
    int sequenceTokens,
    int batch,
    long seed,
    int rank,
    int world,
    LastBatch lastBatch,
    long epochs,
    int slots,
    Optional<String> position) {
  private static final int SLOTS_DEFAULT = 4;

  public DatasetRequest {
    if (slots < 1 || epochs < 0) {
      throw new IllegalArgumentException(
          "slots must be positive and epochs non-negative: slots=" + slots + " epochs=" + epochs);
    }
  }

  /** One rank of one, short last batch, no end, four slots, from the beginning. */
  public static DatasetRequest of(String path, int sequenceTokens, int batch, long seed) {
    return new DatasetRequest(
        path,
        sequenceTokens,
        batch,
        seed,
        0,
        1,
        LastBatch.SHORT,
        0,
        SLOTS_DEFAULT,
        Optional.empty());
  }

  /** The same for one rank of several. */
  public DatasetRequest shared(int ofRank, int ofWorld) {
    return new DatasetRequest(
        path, sequenceTokens, batch, seed, ofRank, ofWorld, lastBatch, epochs, slots, position);
  }

  /** The same with another policy at the end of an epoch. */
  public DatasetRequest ending(LastBatch policy) {
    return new DatasetRequest(
        path, sequenceTokens, batch, seed, rank, world, policy, epochs, slots, position);
  }

  /** The same, ending before that epoch. */
  public DatasetRequest until(long epochsMax) {
    return new DatasetRequest(
        path, sequenceTokens, batch, seed, rank, world, lastBatch, epochsMax, slots, position);
  }

  /** The same with another number of slots. */
  public DatasetRequest withSlots(int number) {
    return new DatasetRequest(
        path, sequenceTokens, batch, seed, rank, world, lastBatch, epochs, number, position);
  }

  /** The same, going on at a position. */
  public DatasetRequest from(String text) {
    return new DatasetRequest(
        path,
        sequenceTokens,
        batch,
        seed,
        rank,
        world,
        lastBatch,
        epochs,
        slots,
        Optional.of(text));
  }

  SampleOrder.Share share() {
    return new SampleOrder.Share(rank, world, batch, lastBatch);
  }

  ObjectNode encode() {
    ObjectNode body = AgentMessage.json();
    body.put("path", path).put("sequenceTokens", sequenceTokens).put("batch", batch);
    body.put("seed", seed).put("rank", rank).put("world", world);
    body.put("lastBatch", lastBatch.label()).put("epochs", epochs).put("slots", slots);
    position.ifPresent(text -> body.put("position", text));
    return body;
  }

  /** Reads what {@link #encode} wrote; IllegalArgumentException names the field that is wrong. */
  static DatasetRequest decode(ObjectNode body) {
    JsonNode position = body.path("position");
    return new DatasetRequest(
        Fields.text(body, "path"),
        Fields.integer(body, "sequenceTokens", 1),
        Fields.integer(body, "batch"),
        Fields.number(body, "seed", 0),
        Fields.integer(body, "rank", 0),
        Fields.integer(body, "world", 1),
        LastBatch.ofLabel(body.path("lastBatch").asText(LastBatch.SHORT.label())),
        Fields.number(body, "epochs", 0),
        Fields.integer(body, "slots", SLOTS_DEFAULT),
        position.isTextual() ? Optional.of(position.asText()) : Optional.empty());
  }
}
