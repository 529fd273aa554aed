package luciola.simulation.cluster;

import java.util.List;
import java.util.Optional;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;
import luciola.storage.index.VersionRecord;

/**
 * In some runs bits turn over on disks, on one server or on several. It never takes the last good
 * copy: on one server, then only that one dies; or on several, then of each chunk two other serving
 * members are left good, or one while a server is dead, and one dies only while all else is well.
 */
final class Rot {
  private final Cluster cluster;
  private final World world;
  private final boolean several;
  private final Optional<SimServer> only;

  Rot(Cluster cluster) {
    this.cluster = cluster;
    this.world = cluster.world();
    boolean rots = cluster.plan().replicas() > 1 && world.chance(0.25);
    this.several = rots && cluster.plan().replicas() > 2 && world.chance(0.5);
    this.only = rots && !several ? Optional.of(anyServer()) : Optional.empty();
  }

  /** Whether bits rot in this run. */
  boolean any() {
    return several || only.isPresent();
  }

  /** A server where they do. */
  SimServer where() {
    return only.orElseGet(this::anyServer);
  }

  private SimServer anyServer() {
    return cluster.servers().get(world.below(cluster.servers().size()));
  }

  /** Whether the good copies of others do without this server for a while. */
  boolean maySpare(SimServer server) {
    if (!any()) {
      return true;
    }
    return only.isPresent() ? only.get() == server : allElseIsWell(server);
  }

  private boolean allElseIsWell(SimServer server) {
    return cluster.servers().stream()
            .allMatch(other -> other == server || (other.process().up() && !other.process().held()))
        && cluster.books().chains().values().stream()
            .allMatch(chain ->
                chain.serving().size() >= cluster.plan().replicas()
                    && chain.serving().size() == chain.members().size());
  }

  /** Turns a bit over. */
  void strike() {
    SimServer server = where();
    SimTarget target = server.targets().get(world.below(server.targets().size()));
    List<Chain> chains =
        cluster.books().chains().values().stream()
            .filter(chain -> target.registered() && chain.serving().contains(target.id()))
            .toList();
    if (chains.isEmpty()) {
      return;
    }
    Chain chain = chains.get(world.below(chains.size()));
    ChunkId chunk = Cluster.chunk(chain.id(), world.below(cluster.plan().chunksPerChain()));
    Optional<VersionRecord> version = target.anyVersion(chain.id(), chunk, several);
    if (version.isPresent()
        && (only.isPresent() || othersAreGood(chain, chunk, version.get().version(), target))
        && target.rot(chain.id(), chunk, version.get())
        && elsewhere(target)) {
      world.met(Probe.ROT_ON_SEVERAL_SERVERS);
    }
  }

  /** One of the good copies may be lost for a while, if none is yet, and one is still left. */
  private boolean othersAreGood(
      Chain chain, ChunkId chunk, ChunkVersion version, SimTarget target) {
    long good =
        chain.serving().stream()
            .flatMap(member -> cluster.target(member).stream())
            .filter(other -> other != target && other.hasGood(chain.id(), chunk, version))
            .count();
    return good >= (allElseIsWell(target.server()) ? 2 : 1);
  }

  private boolean elsewhere(SimTarget target) {
    for (Chain chain : cluster.books().chains().values()) {
      for (TargetId member : chain.serving()) {
        for (int index = 0; index < cluster.plan().chunksPerChain(); index++) {
          ChunkId chunk = Cluster.chunk(chain.id(), index);
          if (cluster
              .target(member)
              .filter(other -> other.server() != target.server() && other.bad(chain.id(), chunk))
              .isPresent()) {
            return true;
          }
        }
      }
    }
    return false;
  }
}
