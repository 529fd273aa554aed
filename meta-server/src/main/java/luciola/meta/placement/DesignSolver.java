package luciola.meta.placement;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.chocosolver.solver.Model;
import org.chocosolver.solver.search.strategy.Search;
import org.chocosolver.solver.variables.BoolVar;

/**
 * Finds block designs with a constraint solver: every target in equally many chains, every two
 * targets together in equally many, as nearly as the numbers divide. For small clusters, where such
 * a design often exists and a search step by step does not find it.
 */
final class DesignSolver {
  private static final long PRODUCTS_MAX = 40_000;

  private DesignSolver() {}

  /** Whether the solver may be asked: its model would not be too large. */
  static boolean suits(Grid grid, int chains) {
    return (long) grid.size() * (grid.size() - 1) / 2 * chains <= PRODUCTS_MAX;
  }

  /** Chains of a design; empty if there is none or none was found in time. */
  static Optional<int[][]> solve(Grid grid, int replicas, int chains, long millis) {
    int size = grid.size();
    long seats = (long) replicas * chains;
    long apart = 0;
    for (int a = 0; a < size; a++) {
      apart += grid.peers(a);
    }
    apart /= 2;
    long meetings = (long) chains * replicas * (replicas - 1) / 2;
    if (apart == 0) {
      return Optional.empty();
    }
    var model = new Model("chains");
    BoolVar[][] in = model.boolVarMatrix("in", size, chains);
    for (int target = 0; target < size; target++) {
      model
          .sum(in[target], "=", model.intVar((int) (seats / size), (int) ceil(seats, size)))
          .post();
    }
    for (int chain = 0; chain < chains; chain++) {
      BoolVar[] members = column(in, chain);
      model.sum(members, "=", replicas).post();
      for (int group = 0; group < grid.groups(); group++) {
        int wanted = group;
        BoolVar[] inGroup =
            IntStream.range(0, size)
                .filter(target -> grid.group(target) == wanted)
                .mapToObj(target -> members[target])
                .toArray(BoolVar[]::new);
        if (inGroup.length > 1) {
          model.sum(inGroup, "<=", 1).post();
        }
      }
    }
    for (int a = 0; a < size; a++) {
      for (int b = 0; b < a; b++) {
        if (grid.apart(a, b)) {
          BoolVar[] together = new BoolVar[chains];
          for (int chain = 0; chain < chains; chain++) {
            together[chain] = in[a][chain].and(in[b][chain]).boolVar();
          }
          model
              .sum(
                  together,
                  "=",
                  model.intVar((int) (meetings / apart), (int) ceil(meetings, apart)))
              .post();
        }
      }
    }
    BoolVar[][] columns = new BoolVar[chains][];
    for (int chain = 0; chain < chains; chain++) {
      columns[chain] = column(in, chain);
    }
    model.lexChainLessEq(columns).post();
    if (grid.groups() == size) {
      model.lexChainLessEq(in).post();
    }
    var solver = model.getSolver();
    solver.limitTime(millis);
    solver.setSearch(
        Search.inputOrderUBSearch(
            Arrays.stream(in).flatMap(Arrays::stream).toArray(BoolVar[]::new)));
    if (!solver.solve()) {
      return Optional.empty();
    }
    int[][] found = new int[chains][];
    for (int chain = 0; chain < chains; chain++) {
      int at = chain;
      found[chain] =
          IntStream.range(0, size).filter(target -> in[target][at].getValue() == 1).toArray();
    }
    return Optional.of(found);
  }

  private static BoolVar[] column(BoolVar[][] in, int chain) {
    return Arrays.stream(in).map(row -> row[chain]).toArray(BoolVar[]::new);
  }

  private static long ceil(long a, long b) {
    return (a + b - 1) / b;
  }
}
