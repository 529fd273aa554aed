package luciola.simulation.check;

import java.util.Map;
import java.util.Objects;
import luciola.protocol.id.ChunkId;

/** When all is well again, every replica serves and holds the same. */
public final class ReplicasConverge {
  /** The rule's name. */
  public static final String RULE = "ReplicasConverge";

  private ReplicasConverge() {}

  /** Compares what replicas hold in the end, by their names. */
  public static void check(Map<String, Map<ChunkId, String>> contents) {
    Map.Entry<String, Map<ChunkId, String>> first = null;
    for (Map.Entry<String, Map<ChunkId, String>> replica : contents.entrySet()) {
      if (first == null) {
        first = replica;
      } else if (!Objects.equals(first.getValue(), replica.getValue())) {
        throw new RuleBroken(RULE, "\n  " + first + "\n  " + replica);
      }
    }
  }
}
