package luciola.meta.placement;

import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/**
 * Betters a layout step by step: first every target gets equally many chains as far as domains
 * allow, then two chains exchange a member whenever targets meet more evenly after it. Worse steps
 * are taken with a probability that falls (simulated annealing), so that it does not end in the
 * first hollow. The same seed takes the same steps.
 */
final class LayoutSearch {
  private static final int STEPS_A_LOOK = 256;
  private static final double HEAT = 1.5;

  private final SplittableRandom random;
  private final BooleanSupplier over;

  /**
   * @param over whether the time is up; asked every few hundred steps
   */
  LayoutSearch(long seed, BooleanSupplier over) {
    this.random = new SplittableRandom(seed);
    this.over = over;
  }

  /** Chains of a layout that is as good or better. */
  int[][] better(Layout start, long stepsMax) {
    level(start);
    return met(start, 0, stepsMax);
  }

  /**
   * Like {@link #better}, but the first chains, so many, stay as they are, and no target gets more.
   */
  int[][] beside(Layout start, int fixed, long stepsMax) {
    return met(start, fixed, stepsMax);
  }

  private int[][] met(Layout start, int fixed, long stepsMax) {
    var layout = new Layout(start.grid(), start.copy());
    long least = leastSquares(layout);
    long squares = squares(layout);
    int[][] best = layout.copy();
    long bestSquares = squares;
    for (long step = 0;
        step < stepsMax && bestSquares > least && layout.size() > fixed + 1;
        step++) {
      if (step % STEPS_A_LOOK == 0 && over.getAsBoolean()) {
        break;
      }
      double heat = HEAT * (1 - (double) step / stepsMax);
      squares += exchange(layout, fixed, heat);
      if (squares < bestSquares) {
        bestSquares = squares;
        best = layout.copy();
      }
    }
    return best;
  }

  /** Evens out how many chains targets have. */
  private static void level(Layout layout) {
    boolean moved = true;
    while (moved) {
      moved = false;
      int most = 0;
      int least = 0;
      for (int target = 1; target < layout.grid().size(); target++) {
        most = layout.load(target) > layout.load(most) ? target : most;
        least = layout.load(target) < layout.load(least) ? target : least;
      }
      if (layout.load(most) - layout.load(least) > 1) {
        moved = moveOne(layout, most, least);
      }
    }
  }

  private static boolean moveOne(Layout layout, int from, int to) {
    int bestChain = -1;
    int bestPlace = -1;
    int bestMet = Integer.MAX_VALUE;
    for (int chain = 0; chain < layout.size(); chain++) {
      int[] members = layout.chain(chain);
      for (int place = 0; place < members.length; place++) {
        if (members[place] == from && layout.fits(chain, place, to)) {
          int met = layout.met(chain, place, to) - layout.met(chain, place, from);
          if (met < bestMet) {
            bestMet = met;
            bestChain = chain;
            bestPlace = place;
          }
        }
      }
    }
    if (bestChain < 0) {
      return false;
    }
    layout.put(bestChain, bestPlace, to);
    return true;
  }

  /** Tries one exchange; by how much the squares grew. */
  private long exchange(Layout layout, int fixed, double heat) {
    int a = random.nextInt(fixed, layout.size());
    int b = random.nextInt(fixed, layout.size());
    int placeA = random.nextInt(layout.chain(a).length);
    int placeB = random.nextInt(layout.chain(b).length);
    int x = layout.chain(a)[placeA];
    int y = layout.chain(b)[placeB];
    if (a == b || x == y || !layout.fits(a, placeA, y) || !layout.fits(b, placeB, x)) {
      return 0;
    }
    long grown = put(layout, a, placeA, y) + put(layout, b, placeB, x);
    if (grown > 0 && random.nextDouble() >= Math.exp(-grown / Math.max(1e-9, heat))) {
      layout.put(b, placeB, y);
      layout.put(a, placeA, x);
      return 0;
    }
    return grown;
  }

  private static long put(Layout layout, int chain, int place, int target) {
    int[] members = layout.chain(chain);
    int former = members[place];
    long grown = 0;
    for (int i = 0; i < members.length; i++) {
      if (i != place) {
        grown += 2L * layout.pairs(members[i], target) + 1;
        grown -= 2L * layout.pairs(members[i], former) - 1;
      }
    }
    layout.put(chain, place, target);
    return grown;
  }

  private static long squares(Layout layout) {
    long squares = 0;
    for (int a = 0; a < layout.grid().size(); a++) {
      for (int b = 0; b < a; b++) {
        squares += (long) layout.pairs(a, b) * layout.pairs(a, b);
      }
    }
    return squares;
  }

  /** The squares if all that meet, meet equally often. */
  private static long leastSquares(Layout layout) {
    long apart = 0;
    long meetings = 0;
    for (int a = 0; a < layout.grid().size(); a++) {
      for (int b = 0; b < a; b++) {
        apart += layout.grid().apart(a, b) ? 1 : 0;
        meetings += layout.pairs(a, b);
      }
    }
    if (apart == 0) {
      return 0;
    }
    long each = meetings / apart;
    long more = meetings % apart;
    return apart * each * each + more * (2 * each + 1);
  }
}
