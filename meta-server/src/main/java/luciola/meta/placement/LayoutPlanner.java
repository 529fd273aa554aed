package luciola.meta.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.TargetId;

/**
 * Lays new chains over targets so that one failed disk's reads spread evenly over all others: a
 * balanced incomplete block design, or the nearest to it that is found in the time given.
 *
 * <p>A cyclic layout comes first and costs nothing. If it is not as good as any can be, small
 * clusters ask a constraint solver for half of the time; what is left goes into exchanging members
 * one by one. The best of all is taken, so more time is never worse.
 */
public final class LayoutPlanner {
  private static final long SEED = 20_261_121;
  private static final long STEPS_MAX = 20_000_000;

  private LayoutPlanner() {}

  /**
   * A layout.
   *
   * @param chains members of each chain, head first
   * @param method how it was found, in words
   */
  public record Found(List<List<TargetId>> chains, Balance balance, String method) {
    public Found {
      chains = chains.stream().map(List::copyOf).toList();
    }
  }

  /**
   * Lays chains without searching.
   *
   * @param chains how many; 0: a number that lies evenly
   * @throws LuciolaException INVALID_ARGUMENT if there are fewer failure domains than replicas
   */
  public static Found quick(List<Place> places, FailureDomain domain, int replicas, int chains) {
    return plan(places, domain, replicas, chains, 0, () -> 0);
  }

  /**
   * Lays chains as evenly as time allows.
   *
   * @param chains how many; 0: a number that lies evenly
   * @param budgetNanos how long to search; it ends at once when nothing better can exist
   * @param clock monotonic nanoseconds
   * @throws LuciolaException INVALID_ARGUMENT if there are fewer failure domains than replicas
   */
  public static Found plan(
      List<Place> places,
      FailureDomain domain,
      int replicas,
      int chains,
      long budgetNanos,
      LongSupplier clock) {
    if (chains < 0 || chains > 1_000_000) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "chains out of bounds: chains=" + chains + " max=1000000");
    }
    Grid grid = Grid.of(places, domain, replicas);
    int wanted = chains > 0 ? chains : FirstLayout.evenly(grid, replicas);
    int[][] best = FirstLayout.of(grid, replicas, wanted);
    String method = "cyclic";
    Balance balance = new Layout(grid, best).balance();
    long endNanos = clock.getAsLong() + budgetNanos;
    if (!balance.best() && budgetNanos > 0 && DesignSolver.suits(grid, wanted)) {
      Optional<int[][]> solved =
          DesignSolver.solve(grid, replicas, wanted, Math.max(1, budgetNanos / 2_000_000));
      if (solved.isPresent()) {
        best = solved.get();
        balance = new Layout(grid, best).balance();
        method = "block design";
      }
    }
    if (!balance.best() && budgetNanos > 0) {
      var search = new LayoutSearch(SEED, () -> clock.getAsLong() - endNanos >= 0);
      int[][] searched = search.better(new Layout(grid, best), STEPS_MAX);
      Balance after = new Layout(grid, searched).balance();
      if (better(after, balance)) {
        best = searched;
        balance = after;
        method = method + ", bettered step by step";
      }
    }
    best = Arrays.stream(best).map(int[]::clone).toArray(int[][]::new);
    Heads.spread(best, grid.size());
    return new Found(named(grid, best), balance, method);
  }

  private static boolean better(Balance a, Balance b) {
    int spreadA = a.chainsMax() - a.chainsMin();
    int spreadB = b.chainsMax() - b.chainsMin();
    return spreadA < spreadB
        || (spreadA == spreadB
            && (a.failedShareMax() < b.failedShareMax()
                || (a.failedShareMax() <= b.failedShareMax()
                    && a.pairsMax() - a.pairsMin() < b.pairsMax() - b.pairsMin())));
  }

  private static List<List<TargetId>> named(Grid grid, int[][] chains) {
    var named = new ArrayList<List<TargetId>>(chains.length);
    for (int[] chain : chains) {
      named.add(Arrays.stream(chain).mapToObj(grid::target).toList());
    }
    return named;
  }
}
