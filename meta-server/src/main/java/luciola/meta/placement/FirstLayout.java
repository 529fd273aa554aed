package luciola.meta.placement;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * A layout to begin with.
 *
 * <p>With equally many targets in every domain it is cyclic: targets are numbered round-robin over
 * the {@code n} domains, so that number {@code i} is in domain {@code i mod n}; a base chain is a
 * list of offsets that differ modulo {@code n}, and adding each number in turn gives one chain for
 * every head. Base chains are chosen one after the other so that differences of offsets are used
 * equally often (a difference family where one is found): every target leads and follows equally
 * often and meets the others about equally often. Otherwise each chain takes the targets that are
 * used least and have met its other members least.
 */
final class FirstLayout {
  private static final int ROTATIONS_MAX = 8;

  private final Grid grid;
  private final int[] inTurn;
  private final int[] differences;
  private final int[][] offsetsAt;

  private FirstLayout(Grid grid, int[] inTurn, int replicas) {
    this.grid = grid;
    this.inTurn = inTurn;
    this.differences = new int[inTurn.length];
    this.offsetsAt = new int[replicas][inTurn.length];
  }

  /** A number of chains that lies evenly, up to eight for each target. */
  static int evenly(Grid grid, int replicas) {
    return grid.size()
        * (replicas == 1 ? 1 : Math.min(ROTATIONS_MAX, Math.max(1, grid.groups() - 1)));
  }

  static int[][] of(Grid grid, int replicas, int chains) {
    int[] inTurn = inTurn(grid);
    return inTurn.length == grid.size()
        ? new FirstLayout(grid, inTurn, replicas).cyclic(replicas, chains)
        : greedy(grid, replicas, chains, new Layout(grid, new int[0][]));
  }

  /** Each chain takes the targets that are used least and have met its other members least. */
  static int[][] beside(Layout existing, int replicas, int chains) {
    return greedy(existing.grid(), replicas, chains, existing);
  }

  /** Targets in rounds, one of every domain; fewer than all if domains are not equally large. */
  private static int[] inTurn(Grid grid) {
    var byGroup = new TreeMap<Integer, List<Integer>>();
    for (int i = 0; i < grid.size(); i++) {
      byGroup.computeIfAbsent(grid.group(i), _ -> new ArrayList<>()).add(i);
    }
    int rounds = byGroup.values().stream().mapToInt(List::size).min().orElse(0);
    int[] inTurn = new int[rounds * byGroup.size()];
    int at = 0;
    for (int round = 0; round < rounds; round++) {
      for (List<Integer> group : byGroup.values()) {
        inTurn[at++] = group.get(round);
      }
    }
    return inTurn;
  }

  private int[][] cyclic(int replicas, int wanted) {
    int[][] chains = new int[wanted][];
    int made = 0;
    while (made < wanted) {
      int[] base = nextBase(replicas);
      for (int head = 0; head < inTurn.length && made < wanted; head++) {
        int[] chain = new int[replicas];
        for (int i = 0; i < replicas; i++) {
          chain[i] = inTurn[(head + base[i]) % inTurn.length];
        }
        chains[made++] = chain;
      }
    }
    return chains;
  }

  private int[] nextBase(int replicas) {
    int[] base = new int[replicas];
    for (int position = 1; position < replicas; position++) {
      int best = -1;
      long bestCost = Long.MAX_VALUE;
      for (int offset = 1; offset < inTurn.length; offset++) {
        long cost = cost(base, position, offset);
        if (cost < bestCost) {
          best = offset;
          bestCost = cost;
        }
      }
      for (int before = 0; before < position; before++) {
        differences[Math.floorMod(best - base[before], inTurn.length)]++;
        differences[Math.floorMod(base[before] - best, inTurn.length)]++;
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
      if (Math.floorMod(offset - base[before], grid.groups()) == 0) {
        return Long.MAX_VALUE;
      }
      met += differences[Math.floorMod(offset - base[before], inTurn.length)];
    }
    return (met << 32) + offsetsAt[position][offset];
  }

  private static int[][] greedy(Grid grid, int replicas, int wanted, Layout existing) {
    int size = grid.size();
    int[][] chains = new int[wanted][];
    int[] load = new int[size];
    short[] pairs = new short[size * size];
    for (int a = 0; a < size; a++) {
      load[a] = existing.load(a);
      for (int b = 0; b < size; b++) {
        pairs[a * size + b] = (short) existing.pairs(a, b);
      }
    }
    for (int made = 0; made < wanted; made++) {
      int[] chain = new int[replicas];
      for (int place = 0; place < replicas; place++) {
        int best = -1;
        long bestCost = Long.MAX_VALUE;
        for (int turn = 0; turn < size; turn++) {
          int target = (turn + made) % size;
          long cost = (long) load[target] << 32;
          for (int before = 0; before < place && cost < Long.MAX_VALUE; before++) {
            cost =
                grid.apart(chain[before], target)
                    ? cost + pairs[chain[before] * size + target]
                    : Long.MAX_VALUE;
          }
          if (cost < bestCost) {
            best = target;
            bestCost = cost;
          }
        }
        for (int before = 0; before < place; before++) {
          pairs[chain[before] * size + best]++;
          pairs[best * size + chain[before]]++;
        }
        chain[place] = best;
      }
      for (int target : chain) {
        load[target]++;
      }
      chains[made] = chain;
    }
    return chains;
  }
}
