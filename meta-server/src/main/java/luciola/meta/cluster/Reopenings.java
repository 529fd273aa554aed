package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.StorageNode;

/**
 * Failed targets that operators want opened again. Their servers are told in some heartbeats one
 * after the other, so that a reply that is lost does no harm; to be told again does none either.
 */
final class Reopenings {
  private static final int TIMES = 3;

  private final Map<TargetId, Integer> left = new HashMap<>();

  void wish(List<Long> targets) {
    targets.forEach(target -> left.put(new TargetId(target), TIMES));
  }

  void clear() {
    left.clear();
  }

  /** What a server is to be told now. */
  List<Long> told(StorageNode node) {
    var told = new ArrayList<Long>();
    for (TargetId target : node.targets()) {
      if (left.containsKey(target)) {
        told.add(target.value());
        left.computeIfPresent(target, (_, times) -> times > 1 ? times - 1 : null);
      }
    }
    return told;
  }
}
