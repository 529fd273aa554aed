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
  private static final int CHAINS_MAX = 1_000_000;
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
    if (chains < 0 || chains > CHAINS_MAX) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "chains out of bounds: chains=" + chains + " max=" + CHAINS_MAX);
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

  /**
   * Lays chains beside those that exist: on the targets that have fewest, which met each other
   * least. What exists stays where it is.
   *
   * @param places targets that may take replicas
   * @param existing members of each chain that exists, those elsewhere included
   * @param chains how many, 1 or more
   * @param budgetNanos how long to search for a more even layout of more than one new chain
   * @param clock monotonic nanoseconds
   * @return the new chains; the balance of all chains as far as they are on these targets
   * @throws LuciolaException INVALID_ARGUMENT if there are fewer failure domains than replicas
   */
  public static Found beside(
      List<Place> places,
      List<List<TargetId>> existing,
      FailureDomain domain,
      int replicas,
      int chains,
      long budgetNanos,
      LongSupplier clock) {
    if (chains < 1 || chains > CHAINS_MAX) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "chains out of bounds: chains=" + chains + " max=" + CHAINS_MAX);
    }
    Grid grid = Grid.of(places, domain, replicas);
    int[][] before =
        existing.stream()
            .map(chain ->
                chain.stream()
                    .flatMap(target -> grid.number(target).stream())
                    .mapToInt(Integer::intValue)
                    .toArray())
            .toArray(int[][]::new);
    int[][] added = FirstLayout.beside(new Layout(grid, before), replicas, chains);
    long endNanos = clock.getAsLong() + budgetNanos;
    if (budgetNanos > 0 && chains > 1) {
      var all = new Layout(grid, joined(before, added));
      var search = new LayoutSearch(SEED, () -> clock.getAsLong() - endNanos >= 0);
      int[][] searched = search.beside(all, before.length, STEPS_MAX);
      added = Arrays.copyOfRange(searched, before.length, searched.length);
    }
    Heads.spread(added, grid.size());
    return new Found(
        named(grid, added),
        new Layout(grid, joined(before, added)).balance(),
        "beside " + existing.size() + " that exist");
  }

  private static int[][] joined(int[][] before, int[][] added) {
    int[][] all = Arrays.copyOf(before, before.length + added.length);
    System.arraycopy(added, 0, all, before.length, added.length);
    return all;
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
