package luciola.meta.placement;

import java.util.ArrayList;
import java.util.List;
import luciola.grpc.v1.FailureDomain;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.TargetId;

/**
 * How evenly chains lie on targets.
 *
 * @param replicas members of the first chain
 * @param chainsMin chains of the target that has fewest
 * @param pairsMin chains that two targets have together, of those that may share one
 * @param failedShareMax the part of a failed target's reads that the busiest of the others takes,
 *     for the worst target to fail
 * @param failedShareOptimum the least that any layout with these numbers of chains could reach
 */
public record Balance(
    int chains,
    int targets,
    int replicas,
    int chainsMin,
    int chainsMax,
    int pairsMin,
    int pairsMax,
    double failedShareMax,
    double failedShareOptimum) {

  /** Whether no layout spreads a failed target's reads better. */
  public boolean best() {
    return chainsMax - chainsMin <= 1 && failedShareMax <= failedShareOptimum + 1e-9;
  }

  /**
   * Of chains that exist.
   *
   * @param places every target that counts; members elsewhere are refused
   */
  public static Balance of(List<Place> places, FailureDomain domain, List<List<TargetId>> chains) {
    int replicas = chains.stream().mapToInt(List::size).max().orElse(1);
    if (places.isEmpty()) {
      return new Balance(chains.size(), 0, replicas, 0, 0, 0, 0, 0, 0);
    }
    Grid grid = Grid.any(places, domain, replicas);
    var numbered = new ArrayList<int[]>(chains.size());
    for (List<TargetId> chain : chains) {
      numbered.add(
          chain.stream()
              .mapToInt(target ->
                  grid.number(target)
                      .orElseThrow(() ->
                          new LuciolaException(
                              ErrorCode.INVALID_ARGUMENT, "unknown target=" + target)))
              .toArray());
    }
    return new Layout(grid, numbered.toArray(int[][]::new)).balance();
  }

  /** As it travels. */
  public luciola.grpc.v1.Balance toMessage() {
    return luciola.grpc.v1.Balance.newBuilder()
        .setChains(chains)
        .setTargets(targets)
        .setReplicas(replicas)
        .setChainsMin(chainsMin)
        .setChainsMax(chainsMax)
        .setPairsMin(pairsMin)
        .setPairsMax(pairsMax)
        .setFailedShareMax(failedShareMax)
        .setFailedShareOptimum(failedShareOptimum)
        .build();
  }

  /** From how it travels. */
  public static Balance fromMessage(luciola.grpc.v1.Balance balance) {
    return new Balance(
        balance.getChains(),
        balance.getTargets(),
        balance.getReplicas(),
        balance.getChainsMin(),
        balance.getChainsMax(),
        balance.getPairsMin(),
        balance.getPairsMax(),
        balance.getFailedShareMax(),
        balance.getFailedShareOptimum());
  }
}
