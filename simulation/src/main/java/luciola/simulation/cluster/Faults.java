package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** What goes wrong in a run, and its end. Several things may go wrong at the same time. */
final class Faults {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final World world;
  private final Network network;
  private final List<SimClient> clients;
  private final double cruelty;

  private final Rot rot;

  private boolean over;

  Faults(Cluster cluster, List<SimClient> clients) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.network = cluster.network();
    this.clients = clients;
    this.cruelty = world.below(4) / 10.0;
    this.rot = new Rot(cluster);
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
      world.later(world.between(0, 10 * MILLI), this::headOfOneSyncingDies);
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
      case 0, 1 -> crash(server, false, world.between(10 * MILLI, 1500 * MILLI));
      case 2, 3 -> crash(server, true, world.between(10 * MILLI, 1500 * MILLI));
      case 4 -> cutPower(server);
      case 5 -> powerOutage();
      case 6, 7 -> hold(server.process(), world.between(50 * MILLI, 1500 * MILLI));
      case 8, 9 -> holdBetween(server.process());
      case 10 -> cut(server.process(), meta().process());
      case 11 -> cut(server.process(), victim().process());
      case 12 -> isolateFromPeers(server);
      case 13 -> slowLink(server.process(), victim().process());
      case 14 -> chainDies(server);
      case 15, 16 -> breakResync();
      case 17 -> badDisk(server);
      case 18 -> clientDies();
      case 19 ->
          hold(
              clients.get(world.below(clients.size())).process(),
              world.between(50 * MILLI, 1500 * MILLI));
      case 20 -> metaStops(meta());
      case 21 -> hold(leader().process(), world.between(50 * MILLI, 1500 * MILLI));
      case 22 -> isolateMeta(leader());
      case 23 -> transferLead();
      case 24 -> cutOffPeers(server);
      default -> holdBetween(leader().process());
    }
  }

  /** What leaves the other replicas serving, for they are needed. */
  private void oneBesideRot(SimServer server) {
    switch (world.below(9)) {
      case 0 -> crash(server, false, world.between(10 * MILLI, 1500 * MILLI));
      case 1 -> crash(server, true, world.between(10 * MILLI, 1500 * MILLI));
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
      case 4 -> slowLink(server.process(), anyServer().process());
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
          case 2 -> syncing(chain);
          default ->
              chain.serving().size() > 2 ? Optional.of(chain.serving().get(1)) : chain.head();
        };
    return target.flatMap(cluster::target).map(SimTarget::server).orElseGet(this::anyServer);
  }

  private static Optional<TargetId> syncing(Chain chain) {
    return chain.members().stream()
        .filter(member -> member.state() == PublicState.SYNCING)
        .map(ChainMember::target)
        .findFirst();
  }

  private SimMeta meta() {
    return cluster.metas().get(world.below(cluster.metas().size()));
  }

  private SimMeta leader() {
    return cluster.log().leader().orElseGet(this::meta);
  }

  // Servers.

  private void crash(SimServer server, boolean power, long downNanos) {
    if (!server.process().up() || !rot.maySpare(server)) {
      return;
    }
    world.met(power ? "a server lost power" : "a server was killed");
    world.log("fault", () -> (power ? "power off " : "kill ") + server.process());
    server.crash(power);
    world.later(downNanos, () -> restart(server));
  }

  /** In the middle of a write, a flush, or between data and metadata. */
  private void cutPower(SimServer server) {
    if (!server.process().up() || rot.any()) {
      return;
    }
    for (SimTarget target : server.targets()) {
      target
          .medium()
          .cutAfter(
              world.below(12),
              () ->
                  world.later(
                      0, () -> crash(server, true, world.between(10 * MILLI, 1500 * MILLI))));
    }
  }

  private void restart(SimServer server) {
    if (!server.process().up()) {
      world.log("fault", () -> "start " + server.process());
      server.start();
    }
  }

  /** All members of a chain that this server is in. */
  private void chainDies(SimServer server) {
    boolean power = world.chance(0.5);
    for (Chain chain : cluster.books().chains().values()) {
      if (server.targets().stream().anyMatch(target -> chain.serving().contains(target.id()))) {
        for (TargetId member : chain.serving()) {
          cluster
              .target(member)
              .ifPresent(
                  target -> crash(target.server(), power, world.between(10 * MILLI, 1500 * MILLI)));
        }
        return;
      }
    }
  }

  /** Source or head, and replica of a resync, or only the replica. */
  private void breakResync() {
    for (SimServer server : cluster.servers()) {
      for (ReplicaWatch replica : List.copyOf(server.replicas())) {
        if (replica.fills()) {
          Optional<SimServer> filled =
              syncing(cluster.books(replica.chainId()))
                  .flatMap(cluster::target)
                  .map(SimTarget::server);
          Optional<SimServer> head =
              cluster
                  .books(replica.chainId())
                  .head()
                  .flatMap(cluster::target)
                  .map(SimTarget::server);
          switch (world.below(4)) {
            case 0, 1 -> {
              if (filled.isPresent()) {
                world.met(Probe.DOUBLE_FAILURE_DURING_RESYNC);
                crash(server, world.chance(0.5), world.between(10 * MILLI, 1500 * MILLI));
              }
            }
            case 2 -> {
              head.filter(it -> it != server).ifPresent(it -> headDies(it, filled.orElse(server)));
              return;
            }
            default -> {}
          }
          crash(filled.orElse(server), world.chance(0.5), world.between(10 * MILLI, 1500 * MILLI));
          return;
        }
      }
    }
  }

  /** What it sent to one that is still filled, the one that follows it need not have yet. */
  private void headOfOneSyncingDies() {
    cluster.books().chains().values().stream()
        .filter(chain -> !over && chain.writePath().size() - chain.serving().size() >= 1)
        .flatMap(chain -> chain.head().stream())
        .flatMap(head -> cluster.target(head).stream())
        .findFirst()
        .ifPresent(head -> crash(head.server(), false, world.between(10 * MILLI, 300 * MILLI)));
  }

  /** What was under way stays so until the head is missed; the filled one comes again before. */
  private void headDies(SimServer head, SimServer filled) {
    world.met("the head died while a member was filled, and then that one");
    if (world.chance(0.5)) {
      crash(head, world.chance(0.5), world.between(500 * MILLI, 1500 * MILLI));
    } else {
      isolateFromPeers(head);
    }
    world.later(
        world.between(0, 20 * MILLI),
        () -> {
          if (!over) {
            crash(filled, world.chance(0.5), world.between(10 * MILLI, 60 * MILLI));
          }
        });
  }

  private void powerOutage() {
    world.met("all servers lost power at once");
    for (SimServer server : cluster.servers()) {
      crash(server, true, world.between(10 * MILLI, 2000 * MILLI));
    }
  }

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

  private void badDisk(SimServer server) {
    if (rot.any()) {
      return;
    }
    world.met("a disk went bad");
    SimTarget target = server.targets().get(world.below(server.targets().size()));
    boolean full = world.chance(0.5);
    world.log("fault", () -> (full ? "full disk " : "bad disk ") + target);
    target.medium().failing(full ? 0 : 0.05, full ? 0.3 : 0);
    world.later(
        world.between(50 * MILLI, 500 * MILLI),
        () -> {
          target.medium().failing(0, 0);
          if (!full && server.process().up()) {
            crash(server, false, world.between(10 * MILLI, 300 * MILLI));
          }
        });
  }

  // Links.

  private void cut(SimProcess a, SimProcess b) {
    boolean there = world.chance(0.7);
    boolean back = !there || world.chance(0.6);
    world.met(there && back ? "a link was cut" : "a link was cut in one direction");
    world.log("fault", () -> "cut " + a + (back ? " <" : " ") + (there ? "> " : " ") + b);
    var mends = new ArrayList<Runnable>();
    if (there) {
      mends.add(cutOne(a, b));
    }
    if (back) {
      mends.add(cutOne(b, a));
    }
    mendLater(mends);
  }

  private Runnable cutOne(SimProcess from, SimProcess to) {
    network.cut(from, to);
    return () -> network.mend(from, to);
  }

  private void isolateFromPeers(SimServer server) {
    world.met("a server was cut off from other servers and the managers, not from clients");
    world.log("fault", () -> "isolate " + server.process());
    var mends = new ArrayList<Runnable>();
    for (SimServer other : cluster.servers()) {
      mends.add(cutOne(server.process(), other.process()));
      mends.add(cutOne(other.process(), server.process()));
    }
    for (SimMeta meta : cluster.metas()) {
      mends.add(cutOne(server.process(), meta.process()));
      mends.add(cutOne(meta.process(), server.process()));
    }
    mendLater(mends);
  }

  /** It keeps its lease, and its chains take no writes until somebody leaves the write path. */
  private void cutOffPeers(SimServer server) {
    world.met("a server was cut off from other servers only");
    world.log("fault", () -> "cut off its peers " + server.process());
    var mends = new ArrayList<Runnable>();
    for (SimServer other : cluster.servers()) {
      if (other != server) {
        mends.add(cutOne(server.process(), other.process()));
        mends.add(cutOne(other.process(), server.process()));
      }
    }
    cluster.cutOffPeers().add(server);
    mends.add(() -> cluster.cutOffPeers().remove(server));
    mendLater(mends, world.between(500 * MILLI, 3000 * MILLI));
  }

  /** From the other meta-servers, or from everything. */
  private void isolateMeta(SimMeta meta) {
    world.met("the leading meta-server was cut off");
    world.log("fault", () -> "isolate " + meta.process());
    var mends = new ArrayList<Runnable>();
    for (SimMeta other : cluster.metas()) {
      if (other != meta) {
        mends.add(cutOne(meta.process(), other.process()));
        mends.add(cutOne(other.process(), meta.process()));
      }
    }
    if (world.chance(0.4)) {
      for (SimServer server : cluster.servers()) {
        mends.add(cutOne(server.process(), meta.process()));
        mends.add(cutOne(meta.process(), server.process()));
      }
    }
    mendLater(mends);
  }

  private void mendLater(List<Runnable> mends) {
    mendLater(mends, world.between(50 * MILLI, 2000 * MILLI));
  }

  private void mendLater(List<Runnable> mends, long nanos) {
    world.later(
        nanos,
        () -> {
          if (!over) {
            world.log("fault", () -> "links mended");
            mends.forEach(Runnable::run);
          }
        });
  }

  private void slowLink(SimProcess from, SimProcess to) {
    world.met("a link became slow");
    network.slow(from, to, world.between(5 * MILLI, 80 * MILLI));
    world.later(world.between(50 * MILLI, 2000 * MILLI), () -> network.slow(from, to, 0));
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
