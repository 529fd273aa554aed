package luciola.simulation.cluster;

import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.PublicState;
import luciola.simulation.world.Probe;
import luciola.simulation.world.World;

/** Servers that are killed or lose power, alone or at the worst moment of a chain; bad disks. */
final class ServerFaults {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final World world;
  private final Rot rot;
  private final LinkFaults links;
  private final BooleanSupplier over;

  /**
   * @param rot whose chains keep the replicas that they need
   * @param over whether all faults have ended
   */
  ServerFaults(Cluster cluster, Rot rot, LinkFaults links, BooleanSupplier over) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.rot = rot;
    this.links = links;
    this.over = over;
  }

  void crash(SimServer server, boolean power, long downNanos) {
    if (!server.process().up() || !rot.maySpare(server)) {
      return;
    }
    world.met(power ? "a server lost power" : "a server was killed");
    world.log("fault", () -> (power ? "power off " : "kill ") + server.process());
    server.crash(power);
    world.later(downNanos, () -> restart(server));
  }

  /** In the middle of a write, a flush, or between data and metadata. */
  void cutPower(SimServer server) {
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
  void chainDies(SimServer server) {
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
  void breakResync() {
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
  void headOfOneSyncingDies() {
    cluster.books().chains().values().stream()
        .filter(
            chain -> !over.getAsBoolean() && chain.writePath().size() - chain.serving().size() >= 1)
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
      links.isolateFromPeers(head);
    }
    world.later(
        world.between(0, 20 * MILLI),
        () -> {
          if (!over.getAsBoolean()) {
            crash(filled, world.chance(0.5), world.between(10 * MILLI, 60 * MILLI));
          }
        });
  }

  void powerOutage() {
    world.met("all servers lost power at once");
    for (SimServer server : cluster.servers()) {
      crash(server, true, world.between(10 * MILLI, 2000 * MILLI));
    }
  }

  void badDisk(SimServer server) {
    if (rot.any()) {
      return;
    }
    world.met("a disk went bad");
    SimTarget target = server.targets().get(world.below(server.targets().size()));
    boolean full = world.chance(0.5);
    world.log("fault", () -> (full ? "full disk " : "bad disk ") + target);
    target.medium().failing(full ? 0 : world.chance(0.5) ? 0.05 : 0.5, full ? 0.3 : 0);
    world.later(
        world.between(50 * MILLI, 500 * MILLI),
        () -> {
          target.medium().failing(0, 0);
          if (!full && server.process().up() && world.chance(0.6)) {
            server.reopen(target);
          } else if (!full && server.process().up()) {
            crash(server, false, world.between(10 * MILLI, 300 * MILLI));
          }
        });
  }

  /** The member that is filled. */
  static Optional<TargetId> syncing(Chain chain) {
    return chain.members().stream()
        .filter(member -> member.state() == PublicState.SYNCING)
        .map(ChainMember::target)
        .findFirst();
  }
}
