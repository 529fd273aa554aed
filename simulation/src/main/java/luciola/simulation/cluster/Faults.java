package luciola.simulation.cluster;

import java.util.List;
import java.util.Optional;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/**
 * What goes wrong in a run, when and with whom, and its end. Several things may go wrong at the
 * same time.
 */
final class Faults {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final World world;
  private final Network network;
  private final List<SimClient> clients;
  private final double cruelty;
  private final Rot rot;
  private final LinkFaults links;
  private final ServerFaults servers;
  private boolean over;

  Faults(Cluster cluster, List<SimClient> clients) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.network = cluster.network();
    this.clients = clients;
    this.cruelty = world.below(4) / 10.0;
    this.rot = new Rot(cluster);
    this.links = new LinkFaults(cluster, this::over);
    this.servers = new ServerFaults(cluster, rot, links, this::over);
  }

  /** Plans what happens from now until {@code untilNanos}. */
  void plan(long untilNanos) {
    double bad = world.below(3) / 2.0;
    network.quality(0.02 * bad, 0.02 * bad, (long) (2 * MILLI + 30 * MILLI * bad));
    int count = world.below(14);
    for (int i = 0; i < count; i++) {
      long at = world.between(world.nowNanos(), untilNanos);
      world.later(at - world.nowNanos(), this::strike);
    }
    world.whenReached(this::worse);
    world.later(untilNanos - world.nowNanos(), this::heal);
  }

  /** A rare situation calls for a fault in the middle of it. */
  private void worse(Probe probe) {
    if (probe == Probe.ONE_FILLED_BEFORE_ANOTHER && !over && !rot.any() && world.chance(0.15)) {
      world.later(world.between(0, 10 * MILLI), servers::headOfOneSyncingDies);
    }
    if (!over && world.chance(cruelty * cruelty)) {
      world.later(
          world.between(0, 40 * MILLI),
          () -> {
            if (!over) {
              world.log("fault", () -> "because of " + probe.probeName());
              strike();
            }
          });
    }
  }

  private void strike() {
    if (over) {
      return;
    }
    int together = world.chance(0.25) ? 2 + world.below(2) : 1;
    for (int i = 0; i < together; i++) {
      one();
    }
  }

  private void one() {
    if (rot.any()) {
      oneBesideRot(rot.where());
      return;
    }
    SimServer server = victim();
    switch (world.below(26)) {
      case 0, 1 -> servers.crash(server, false, world.between(10 * MILLI, 1500 * MILLI));
      case 2, 3 -> servers.crash(server, true, world.between(10 * MILLI, 1500 * MILLI));
      case 4 -> servers.cutPower(server);
      case 5 -> servers.powerOutage();
      case 6, 7 -> hold(server.process(), world.between(50 * MILLI, 1500 * MILLI));
      case 8, 9 -> holdBetween(server.process());
      case 10 -> links.cut(server.process(), meta().process());
      case 11 -> links.cut(server.process(), victim().process());
      case 12 -> links.isolateFromPeers(server);
      case 13 -> links.slowLink(server.process(), victim().process());
      case 14 -> servers.chainDies(server);
      case 15, 16 -> servers.breakResync();
      case 17 -> servers.badDisk(server);
      case 18 -> clientDies();
      case 19 ->
          hold(
              clients.get(world.below(clients.size())).process(),
              world.between(50 * MILLI, 1500 * MILLI));
      case 20 -> metaStops(meta());
      case 21 -> hold(leader().process(), world.between(50 * MILLI, 1500 * MILLI));
      case 22 -> links.isolateMeta(leader());
      case 23 -> transferLead();
      case 24 -> links.cutOffPeers(server);
      default -> holdBetween(leader().process());
    }
  }

  /** What leaves the other replicas serving, for they are needed. */
  private void oneBesideRot(SimServer server) {
    switch (world.below(9)) {
      case 0 -> servers.crash(server, false, world.between(10 * MILLI, 1500 * MILLI));
      case 1 -> servers.crash(server, true, world.between(10 * MILLI, 1500 * MILLI));
      case 2 -> {
        if (rot.maySpare(server)) {
          hold(server.process(), world.between(50 * MILLI, 1500 * MILLI));
        }
      }
      case 3 -> {
        if (rot.maySpare(server)) {
          holdBetween(server.process());
        }
      }
      case 4 -> links.slowLink(server.process(), anyServer().process());
      case 5 -> clientDies();
      case 6 -> transferLead();
      default -> {}
    }
    rot.strike();
  }

  // Whom.

  private SimServer anyServer() {
    return cluster.servers().get(world.below(cluster.servers().size()));
  }

  /** Any server, or one that plays a part in a chain. */
  private SimServer victim() {
    List<Chain> chains = List.copyOf(cluster.books().chains().values());
    if (chains.isEmpty() || world.chance(0.4)) {
      return anyServer();
    }
    Chain chain = chains.get(world.below(chains.size()));
    Optional<TargetId> target =
        switch (world.below(4)) {
          case 0 -> chain.head();
          case 1 -> chain.tail();
          case 2 -> ServerFaults.syncing(chain);
          default ->
              chain.serving().size() > 2 ? Optional.of(chain.serving().get(1)) : chain.head();
        };
    return target.flatMap(cluster::target).map(SimTarget::server).orElseGet(this::anyServer);
  }

  private SimMeta meta() {
    return cluster.metas().get(world.below(cluster.metas().size()));
  }

  private SimMeta leader() {
    return cluster.log().leader().orElseGet(this::meta);
  }

  // Processes that stand still.

  private void hold(SimProcess process, long nanos) {
    if (!process.up() || process.paused()) {
      return;
    }
    world.met("a process was held");
    world.log("fault", () -> "hold " + process);
    process.pause();
    resumeLater(process, nanos);
  }

  private void resumeLater(SimProcess process, long nanos) {
    world.later(
        nanos,
        () -> {
          if (process.paused()) {
            world.log("fault", () -> "resume " + process);
            cluster.servers().stream()
                .filter(server -> server.process() == process)
                .forEach(SimServer::resumed);
          }
          process.resume();
        });
  }

  /** Held at the worst of moments: after it decided, before it acts. */
  private void holdBetween(SimProcess process) {
    if (process.up() && !process.paused()) {
      boolean reading = world.chance(0.3);
      world.log(
          "fault", () -> "hold in the middle of a " + (reading ? "read " : "step ") + process);
      if (reading) {
        process.pauseInRead();
      } else {
        process.pauseBetween();
      }
      resumeLater(process, world.between(50 * MILLI, 1500 * MILLI));
    }
  }

  // Meta-servers and clients.

  private void metaStops(SimMeta meta) {
    if (!meta.process().up()) {
      return;
    }
    world.met("a meta-server restarted");
    world.log("fault", () -> "stop " + meta.process());
    meta.stop();
    world.later(
        world.between(10 * MILLI, 1000 * MILLI),
        () -> {
          if (!meta.process().up()) {
            world.log("fault", () -> "start " + meta.process());
            meta.start();
          }
        });
  }

  private void transferLead() {
    world.log("fault", () -> "the lead is handed on");
    cluster.log().transfer();
  }

  private void clientDies() {
    SimClient client = clients.get(world.below(clients.size()));
    if (!client.process().up()) {
      return;
    }
    world.met("a client died");
    world.log("fault", () -> "kill " + client.process());
    client.die();
    world.later(
        world.between(10 * MILLI, 500 * MILLI),
        () -> {
          if (!client.process().up()) {
            client.start();
          }
        });
  }

  /** Ends all faults for good. */
  private void heal() {
    over = true;
    world.log("fault", () -> "all is well from here on");
    network.repair();
    cluster.cutOffPeers().clear();
    network.quality(0, 0, 2 * MILLI);
    for (SimClient client : clients) {
      if (!client.process().up()) {
        client.start();
      }
      client.process().resume();
    }
    for (SimMeta meta : cluster.metas()) {
      meta.process().resume();
      if (!meta.process().up()) {
        meta.start();
      }
    }
    for (SimServer server : cluster.servers()) {
      server.targets().forEach(target -> target.medium().failing(0, 0));
      if (server.process().paused()) {
        server.resumed();
      }
      server.process().resume();
      if (!server.process().up()) {
        server.start();
      }
    }
  }

  boolean over() {
    return over;
  }
}
