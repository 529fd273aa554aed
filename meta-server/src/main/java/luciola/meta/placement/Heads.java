package luciola.meta.placement;

/**
 * Orders the members of chains so that every target leads equally often and stands at every other
 * place about equally often. The head orders a chain's updates.
 */
final class Heads {
  private Heads() {}

  /** Reorders members in place. */
  static void spread(int[][] chains, int targets) {
    int places = chains.length == 0 ? 0 : chains[0].length;
    for (int place = 0; place + 1 < places; place++) {
      int[] count = new int[targets];
      for (int[] chain : chains) {
        count[chain[place]]++;
      }
      boolean changed = true;
      for (int round = 0; changed && round < 64; round++) {
        changed = false;
        for (int[] chain : chains) {
          changed |= even(chain, place, count);
        }
      }
    }
  }

  private static boolean even(int[] chain, int place, int[] count) {
    int least = place;
    for (int other = place + 1; other < chain.length; other++) {
      least = count[chain[other]] < count[chain[least]] ? other : least;
    }
    if (count[chain[least]] + 1 >= count[chain[place]]) {
      return false;
    }
    count[chain[place]]--;
    count[chain[least]]++;
    int swapped = chain[place];
    chain[place] = chain[least];
    chain[least] = swapped;
    return true;
  }
}
