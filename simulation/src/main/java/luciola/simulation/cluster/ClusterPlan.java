package luciola.simulation.cluster;

import java.util.SplittableRandom;
import luciola.simulation.world.World;

/**
 * How large a simulated cluster is.
 *
 * @param metas meta-servers, 1 or 3
 * @param servers storage-servers
 * @param targetsPerServer targets, each a disk, of every storage-server
 * @param chains chains of the one table
 * @param replicas members of each chain
 * @param clients clients, each with one operation at a time
 * @param chunksPerChain chunks of each chain that clients work on
 * @param collectNanos pause between two collections of tombstones
 * @param cellsMax the longest chunk, in cells of {@link luciola.simulation.check.Content#CELL}
 * @param operated whether an operator changes members of chains
 */
record ClusterPlan(
    int metas,
    int servers,
    int targetsPerServer,
    int chains,
    int replicas,
    int clients,
    int chunksPerChain,
    long collectNanos,
    int cellsMax,
    boolean operated) {
  private static final long MILLI = 1_000_000;
  private static final int OPERATED_PERCENT = 40;
  private static final int LARGE_PERCENT = 20;

  /** Chunks of which some granules are written, each time less than goes into the metadata. */
  private static final int CELLS = 6;

  /** Chunks of 120 KB: many updates are larger than what goes into the metadata. */
  private static final int CELLS_LARGE = 16;

  /** Mostly three replicas; few chunks, so that clients meet on them. */
  static ClusterPlan draw(World world, long seed) {
    SplittableRandom apart = new SplittableRandom(seed).split();
    boolean operated = apart.nextInt(100) < OPERATED_PERCENT;
    long collectNanos = MILLI << (2 + apart.nextInt(7));
    int cells = apart.nextInt(100) < LARGE_PERCENT ? CELLS_LARGE : CELLS;
    int replicas = world.chance(0.75) ? 3 : 1 + world.below(4);
    int servers = replicas + (world.chance(0.5) ? 0 : world.below(3)) + (operated ? 1 : 0);
    int chains = world.chance(0.4) ? 1 : 2 + world.below(2);
    return new ClusterPlan(
        world.chance(0.6) ? 3 : 1,
        servers,
        world.chance(0.5) ? 1 : 2,
        chains,
        replicas,
        4 + world.below(3),
        chains == 1 ? 3 : 2,
        collectNanos,
        cells,
        operated);
  }
}
