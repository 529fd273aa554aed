package luciola.meta.placement;

import java.util.Arrays;

/**
 * Chains over numbered targets, and how often each is used and each two meet.
 *
 * <p>One owner. Memory: 2 bytes for each two targets.
 */
final class Layout {
  private final Grid grid;
  private final int[][] chains;
  private final int[] load;
  private final short[] pairs;

  Layout(Grid grid, int[][] chains) {
    this.grid = grid;
    this.chains = Arrays.stream(chains).map(int[]::clone).toArray(int[][]::new);
    this.load = new int[grid.size()];
    this.pairs = new short[Math.multiplyExact(grid.size(), grid.size())];
    for (int[] chain : this.chains) {
      for (int i = 0; i < chain.length; i++) {
        load[chain[i]]++;
        for (int j = 0; j < i; j++) {
          meet(chain[i], chain[j], 1);
        }
      }
    }
  }

  private void meet(int a, int b, int times) {
    pairs[a * load.length + b] += (short) times;
    pairs[b * load.length + a] += (short) times;
  }

  Grid grid() {
    return grid;
  }

  int size() {
    return chains.length;
  }

  int[] chain(int number) {
    return chains[number];
  }

  int load(int target) {
    return load[target];
  }

  int pairs(int a, int b) {
    return pairs[a * load.length + b];
  }

  int[][] copy() {
    return Arrays.stream(chains).map(int[]::clone).toArray(int[][]::new);
  }

  /** Whether a chain may have a target in that place. */
  boolean fits(int chain, int place, int target) {
    int[] members = chains[chain];
    for (int i = 0; i < members.length; i++) {
      if (i != place && !grid.apart(members[i], target)) {
        return false;
      }
    }
    return true;
  }

  /** How often a target meets the members of a chain but the one in that place. */
  int met(int chain, int place, int target) {
    int met = 0;
    int[] members = chains[chain];
    for (int i = 0; i < members.length; i++) {
      if (i != place) {
        met += pairs(members[i], target);
      }
    }
    return met;
  }

  /** Puts a target in that place of a chain. */
  void put(int chain, int place, int target) {
    int[] members = chains[chain];
    int former = members[place];
    for (int i = 0; i < members.length; i++) {
      if (i != place) {
        meet(members[i], former, -1);
        meet(members[i], target, 1);
      }
    }
    load[former]--;
    load[target]++;
    members[place] = target;
  }

  Balance balance() {
    int chainsMin = Integer.MAX_VALUE;
    int chainsMax = 0;
    int pairsMin = Integer.MAX_VALUE;
    int pairsMax = 0;
    double share = 0;
    double optimum = 0;
    int replicas = chains.length == 0 ? 0 : chains[0].length;
    for (int a = 0; a < load.length; a++) {
      chainsMin = Math.min(chainsMin, load[a]);
      chainsMax = Math.max(chainsMax, load[a]);
      int most = 0;
      int seen = 0;
      int peers = 0;
      for (int b = 0; b < load.length; b++) {
        if (a != b && grid.apart(a, b)) {
          int together = pairs(a, b);
          pairsMin = Math.min(pairsMin, together);
          pairsMax = Math.max(pairsMax, together);
          most = Math.max(most, together);
          seen += together;
          peers++;
        }
      }
      if (seen > 0) {
        share = Math.max(share, (double) most / seen);
        optimum = Math.max(optimum, Math.ceil((double) seen / peers) / seen);
      }
    }
    return new Balance(
        chains.length,
        load.length,
        replicas,
        load.length == 0 ? 0 : chainsMin,
        chainsMax,
        pairsMin == Integer.MAX_VALUE ? 0 : pairsMin,
        pairsMax,
        share,
        optimum);
  }
}
