package luciola.simulation.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChunkId;
import org.jspecify.annotations.Nullable;

/** What clients did to each chunk and what they were told. */
public final class History {
  /** The operation has not ended, and may take effect at any later time. */
  public static final long OPEN = Long.MAX_VALUE;

  private final Map<ChunkId, List<Operation>> operations = new TreeMap<>();

  /** One operation of a client. */
  public static final class Operation {
    private final String client;
    private final long calledNanos;
    private final @Nullable Update update;
    private final Content payload;
    private long endedNanos = OPEN;
    private Content seen = Content.MISSING;

    private Operation(String client, long calledNanos, @Nullable Update update, Content payload) {
      this.client = client;
      this.calledNanos = calledNanos;
      this.update = update;
      this.payload = payload;
    }

    boolean read() {
      return update == null;
    }

    long calledNanos() {
      return calledNanos;
    }

    long endedNanos() {
      return endedNanos;
    }

    boolean ended() {
      return endedNanos != OPEN;
    }

    /** What a read saw. */
    Content seen() {
      return seen;
    }

    /** Whether it writes values of which none is among these. */
    boolean unseenWrite(Set<Long> values) {
      return update instanceof Update.Write && payload.noneOf(values);
    }

    /** The state after it; null if it cannot have happened in this state. */
    @Nullable Content after(Content state) {
      if (update == null) {
        return state.equals(seen) ? state : null;
      }
      return state.after(update, payload);
    }

    @Override
    public String toString() {
      return client
          + " "
          + calledNanos / 1000
          + ".."
          + (endedNanos == OPEN ? "?" : Long.toString(endedNanos / 1000))
          + "us "
          + (update == null ? "read " + seen : update + " " + payload);
    }
  }

  /** An update was sent for the first time. */
  public Operation updateCalled(
      String client, ChunkId chunk, Update update, Content payload, long nowNanos) {
    return add(chunk, new Operation(client, nowNanos, update, payload));
  }

  /** The update was acknowledged. */
  public void acknowledged(Operation operation, long nowNanos) {
    operation.endedNanos = nowNanos;
  }

  /** A read ended; those that fail are not recorded. */
  public void read(String client, ChunkId chunk, long calledNanos, long nowNanos, Content seen) {
    Operation operation = new Operation(client, calledNanos, null, Content.MISSING);
    operation.endedNanos = nowNanos;
    operation.seen = seen;
    add(chunk, operation);
  }

  private Operation add(ChunkId chunk, Operation operation) {
    operations.computeIfAbsent(chunk, _ -> new ArrayList<>()).add(operation);
    return operation;
  }

  /** Operations by chunk. */
  public Map<ChunkId, List<Operation>> operations() {
    return operations;
  }
}
