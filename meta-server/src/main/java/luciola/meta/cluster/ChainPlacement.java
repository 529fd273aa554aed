package luciola.meta.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;

/**
 * Lays chains over targets: replicas of a chain on different nodes; every target leads and follows
 * equally often and meets the others about equally often, so that the reads of one failed target
 * spread over all others.
 *
 * <p>With equally many targets on every node the design is cyclic: targets are numbered round-robin
 * over the {@code n} nodes, so that number {@code i} is on node {@code i mod n}; a base chain is a
 * list of offsets that differ modulo {@code n}, and adding each number in turn gives one chain for
 * every head. Base chains are chosen one after the other so that differences of offsets are used
 * equally often (a difference family where one is found). Otherwise the same is done over the
 * targets that make nodes equal, in turn, and what is left over gets no chain: see {@link #even}.
 */
public final class ChainPlacement {
  private static final int ROTATIONS_MAX = 8;

  private final List<TargetId> targets;
  private final int nodes;
  private final int[] differences;
  private final int[][] offsetsAt;

  /** A target and the node it is on. */
  public record Place(TargetId target, NodeId node) {}

  private ChainPlacement(List<TargetId> targets, int nodes, int replicas) {
    this.targets = targets;
    this.nodes = nodes;
    this.differences = new int[targets.size()];
    this.offsetsAt = new int[replicas][targets.size()];
  }

  /**
   * Members of each chain, head first.
   *
   * @param chains how many; 0: a number that lies evenly, up to eight for each target
   * @throws LuciolaException INVALID_ARGUMENT if there are fewer nodes than replicas
   */
  public static List<List<TargetId>> place(List<Place> places, int replicas, int chains) {
    int nodes = (int) places.stream().map(Place::node).distinct().count();
    if (replicas < 1 || chains < 0 || nodes < replicas) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "create table: replicas need as many nodes with a target that is alive: replicas="
              + replicas
              + " nodes="
              + nodes
              + " targets="
              + places.size()
              + " chains="
              + chains);
    }
    List<TargetId> even = even(places);
    int rotations = replicas == 1 ? 1 : Math.min(ROTATIONS_MAX, Math.max(1, nodes - 1));
    int wanted = chains > 0 ? chains : even.size() * rotations;
    var placement = new ChainPlacement(even, nodes, replicas);
    var result = new ArrayList<List<TargetId>>(wanted);
    while (result.size() < wanted) {
      int[] base = placement.nextBase(replicas);
      for (int head = 0; head < even.size() && result.size() < wanted; head++) {
        result.add(placement.chain(base, head));
      }
    }
    return result;
  }

  /** Targets in rounds: one of every node, as many rounds as the smallest node has targets. */
  private static List<TargetId> even(List<Place> places) {
    var byNode = new TreeMap<NodeId, List<TargetId>>();
    places.stream()
        .sorted(Comparator.comparing(Place::target))
        .forEach(place ->
            byNode.computeIfAbsent(place.node(), _ -> new ArrayList<>()).add(place.target()));
    Collection<List<TargetId>> ofNodes = byNode.values();
    int rounds = ofNodes.stream().mapToInt(List::size).min().orElseThrow();
    var even = new ArrayList<TargetId>();
    for (int round = 0; round < rounds; round++) {
      for (List<TargetId> ofNode : ofNodes) {
        even.add(ofNode.get(round));
      }
    }
    return even;
  }

  private List<TargetId> chain(int[] base, int head) {
    var chain = new ArrayList<TargetId>(base.length);
    for (int offset : base) {
      chain.add(targets.get((head + offset) % targets.size()));
    }
    return chain;
  }

  private int[] nextBase(int replicas) {
    int[] base = new int[replicas];
    for (int position = 1; position < replicas; position++) {
      int best = -1;
      long bestCost = Long.MAX_VALUE;
      for (int offset = 1; offset < targets.size(); offset++) {
        long cost = cost(base, position, offset);
        if (cost < bestCost) {
          best = offset;
          bestCost = cost;
        }
      }
      for (int before = 0; before < position; before++) {
        differences[Math.floorMod(best - base[before], targets.size())]++;
        differences[Math.floorMod(base[before] - best, targets.size())]++;
      }
      offsetsAt[position][best]++;
      base[position] = best;
    }
    return base;
  }

  /** How often the offset's differences were used, then how often it was used at this place. */
  private long cost(int[] base, int position, int offset) {
    long met = 0;
    for (int before = 0; before < position; before++) {
      if (Math.floorMod(offset - base[before], nodes) == 0) {
        return Long.MAX_VALUE;
      }
      met += differences[Math.floorMod(offset - base[before], targets.size())];
    }
    return (met << 32) + offsetsAt[position][offset];
  }
}
