package luciola.simulation.cluster;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;
import luciola.storage.chain.ChainLimits;

/** What the members of a simulated cluster know of each other. */
final class Cluster {
  private static final long MILLI = 1_000_000;

  private final World world;
  private final Network network;
  private final Rules rules = new Rules();
  private final ClusterTimings timings = new ClusterTimings(50 * MILLI, 300 * MILLI, 600 * MILLI);
  private final ChainLimits chainLimits =
      new ChainLimits(10 * MILLI, 10 * MILLI, 100 * MILLI, 15 * MILLI, 200 * MILLI, 4, 64, 64, 8);
  private final SimManager manager;
  private List<SimServer> servers = List.of();

  Cluster(World world, int replicas, double driftMax) {
    this.world = world;
    this.network = new Network(world);
    this.manager = new SimManager(world, timings, replicas, driftMax);
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

  Rules rules() {
    return rules;
  }

  ClusterTimings timings() {
    return timings;
  }

  ChainLimits chainLimits() {
    return chainLimits;
  }

  SimManager manager() {
    return manager;
  }

  List<SimServer> servers() {
    return servers;
  }

  long callTimeoutNanos() {
    return 60 * MILLI;
  }

  /** The chain as it is decided and durable at this very time. */
  Chain books(ChainId chain) {
    return manager.books().chain(chain).orElseThrow();
  }

  Optional<SimServer> serverAt(String host) {
    return servers.stream().filter(server -> server.process().name().equals(host)).findFirst();
  }

  Optional<SimServer> serverOf(TargetId target) {
    return servers.stream()
        .filter(server -> server.registered() && server.target().equals(target))
        .findFirst();
  }

  void callManager(SimProcess from, Object request, Consumer<Object> answered, Runnable failed) {
    network.<Object, Object>call(
        from,
        manager.process(),
        manager::receive,
        request,
        callTimeoutNanos(),
        new Network.Asker<>() {
          @Override
          public void answered(Object answer) {
            answered.accept(answer);
          }

          @Override
          public void failed(boolean refused) {
            failed.run();
          }
        });
  }
}
