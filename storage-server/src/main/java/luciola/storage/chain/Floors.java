package luciola.storage.chain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChunkVersion;

/** Who waits until the chain's floor of versions is durable here. */
final class Floors {
  private final ReplicaState state;
  private final Map<Long, Consumer<ErrorCode>> waiting = new HashMap<>();

  Floors(ReplicaState state) {
    this.state = state;
  }

  /** Goes on, with OK, once the floor is at least so high; the chain may have changed then. */
  void raise(ChunkVersion floor, Consumer<ErrorCode> then) {
    if (state.view.versionFloor().compareTo(floor) >= 0) {
      then.accept(ErrorCode.OK);
      return;
    }
    long number = state.nextNumber();
    waiting.put(number, then);
    state.emit(new ChainEffect.RaiseFloor(number, floor));
  }

  void durable(long number) {
    Consumer<ErrorCode> then = waiting.remove(number);
    if (then != null) {
      then.accept(ErrorCode.OK);
    }
  }

  /** The target failed. */
  void abandon(ErrorCode code) {
    List<Consumer<ErrorCode>> all = new ArrayList<>(waiting.values());
    waiting.clear();
    all.forEach(then -> then.accept(code));
  }
}
