package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.RegisterReply;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.InodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.Routing;
import luciola.simulation.PlantedBug;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainLimits;
import luciola.storage.chain.CollectLimits;

/** What the members of a simulated cluster know of each other. */
final class Cluster {
  private static final long MILLI = 1_000_000;
  private static final long INODES_FROM = 7;
  private static final long MEMORY_BYTES = 256L << 20;

  private final World world;
  private final Network network;
  private final ClusterPlan plan;
  private final Optional<PlantedBug> bug;
  private final Rules rules = new Rules();
  private final ClusterTimings timings = new ClusterTimings(50 * MILLI, 300 * MILLI, 600 * MILLI);
  private final ChainLimits chainLimits =
      new ChainLimits(10 * MILLI, 10 * MILLI, 100 * MILLI, 15 * MILLI, 200 * MILLI, 4, 64, 64, 8);
  private final SimLog log;
  private final PayloadPool memory = new PayloadPool(MEMORY_BYTES);
  private List<SimMeta> metas = List.of();
  private List<SimServer> servers = List.of();

  /** Servers that reach the managers and no other server. */
  private final List<SimServer> cutOffPeers = new ArrayList<>();

  /** Which meta-server each process believes to lead. */
  private final Map<String, Integer> leaderHints = new HashMap<>();

  Cluster(World world, ClusterPlan plan, Optional<PlantedBug> bug) {
    this.world = world;
    this.plan = plan;
    this.bug = bug;
    this.network = new Network(world);
    this.log = new SimLog(world, network, rules.authority);
  }

  void metas(List<SimMeta> all) {
    metas = List.copyOf(all);
    log.members(metas);
  }

  void servers(List<SimServer> all) {
    servers = List.copyOf(all);
  }

  World world() {
    return world;
  }

  Network network() {
    return network;
  }

  ClusterPlan plan() {
    return plan;
  }

  boolean has(PlantedBug planted) {
    return bug.filter(planted::equals).isPresent();
  }

  Rules rules() {
    return rules;
  }

  ClusterTimings timings() {
    return timings;
  }

  ChainLimits chainLimits() {
    return chainLimits;
  }

  /** Tombstones may go at once; how soon they do differs from run to run. */
  CollectLimits collectLimits() {
    return new CollectLimits(0, plan.collectNanos(), 4 * plan.collectNanos(), 2);
  }

  SimLog log() {
    return log;
  }

  List<SimMeta> metas() {
    return metas;
  }

  List<SimServer> servers() {
    return servers;
  }

  /** Servers that reach the managers and no other server now; for who cuts and who looks. */
  List<SimServer> cutOffPeers() {
    return cutOffPeers;
  }

  /** Native memory of all servers; those that die give nothing back. */
  PayloadPool memory() {
    return memory;
  }

  /** Whether one server runs and can be asked by another. */
  boolean reach(SimServer from, SimServer to) {
    return to.process().up()
        && !to.process().paused()
        && network.open(from.process(), to.process())
        && network.open(to.process(), from.process());
  }

  long callTimeoutNanos() {
    return 60 * MILLI;
  }

  /** What is decided at this very time. */
  Routing books() {
    return log.decided().routing();
  }

  /** The chain as it is decided at this very time. */
  Chain books(ChainId chain) {
    return books().chain(chain).orElseThrow();
  }

  /** A chunk's id says which chain it is of. */
  static ChunkId chunk(ChainId chain, int index) {
    return new ChunkId(new InodeId(INODES_FROM + chain.value()), index);
  }

  Optional<SimServer> serverAt(String host) {
    return servers.stream().filter(server -> server.process().name().equals(host)).findFirst();
  }

  Optional<SimTarget> target(TargetId id) {
    return servers.stream()
        .flatMap(server -> server.targets().stream())
        .filter(target -> target.registered() && target.id().equals(id))
        .findFirst();
  }

  /**
   * Asks the meta-server that the caller believes to lead; the next time another one, if it does
   * not.
   */
  void callMeta(SimProcess from, Object request, Consumer<Object> answered, Runnable failed) {
    callMeta(from, request, answered, failed, metas.size());
  }

  private void callMeta(
      SimProcess from, Object request, Consumer<Object> answered, Runnable failed, int triesLeft) {
    int hint = leaderHints.computeIfAbsent(from.name(), _ -> world.below(metas.size()));
    SimMeta meta = metas.get(hint);
    network.<Object, Object>call(
        from,
        meta.process(),
        meta::receive,
        request,
        callTimeoutNanos(),
        new Network.Asker<>() {
          @Override
          public void answered(Object answer) {
            if (notLeader(answer)) {
              other();
            } else {
              answered.accept(answer);
            }
          }

          @Override
          public void failed(boolean refused) {
            other();
          }

          private void other() {
            leaderHints.put(from.name(), (hint + 1) % metas.size());
            if (triesLeft > 1) {
              callMeta(from, request, answered, failed, triesLeft - 1);
            } else {
              failed.run();
            }
          }
        });
  }

  private static boolean notLeader(Object answer) {
    return switch (answer) {
      case HeartbeatReply reply -> reply.getCode() == ErrorCode.NOT_LEADER.number();
      case RegisterReply reply -> reply.getCode() == ErrorCode.NOT_LEADER.number();
      default -> false;
    };
  }
}
