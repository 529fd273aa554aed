package luciola.simulation.cluster;

import java.util.List;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** What goes wrong in a run, and its end. */
final class Faults {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final World world;
  private final Network network;
  private final List<SimClient> clients;
  private boolean over;

  Faults(Cluster cluster, List<SimClient> clients) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.network = cluster.network();
    this.clients = clients;
  }

  /** Plans what happens from now until {@code untilNanos}. */
  void plan(long untilNanos) {
    double bad = world.below(3) / 2.0;
    network.quality(0.02 * bad, 0.02 * bad, (long) (2 * MILLI + 30 * MILLI * bad));
    int count = world.below(10);
    for (int i = 0; i < count; i++) {
      long at = world.between(world.nowNanos(), untilNanos);
      world.later(at - world.nowNanos(), this::strike);
    }
    world.later(untilNanos - world.nowNanos(), this::heal);
  }

  private void strike() {
    if (over) {
      return;
    }
    SimServer server = anyServer();
    switch (world.below(11)) {
      case 0, 1 -> crash(server, world.between(10 * MILLI, 1500 * MILLI));
      case 2 -> powerOutage();
      case 3, 4 -> hold(server.process(), world.between(50 * MILLI, 1500 * MILLI));
      case 5 -> isolate(server.process(), cluster.manager().process());
      case 6 -> isolate(server.process(), anyServer().process());
      case 7 -> isolateFromAll(server);
      case 8 -> restartManager();
      case 9 -> badDisk(server);
      default -> twoCrash(server);
    }
  }

  private SimServer anyServer() {
    return cluster.servers().get(world.below(cluster.servers().size()));
  }

  private void crash(SimServer server, long downNanos) {
    if (!server.process().up()) {
      return;
    }
    world.met("a server crashed");
    world.log("fault", () -> "crash " + server.process());
    server.crash();
    world.later(downNanos, () -> restart(server));
  }

  private void restart(SimServer server) {
    if (!server.process().up()) {
      world.log("fault", () -> "start " + server.process());
      server.start();
    }
  }

  private void twoCrash(SimServer first) {
    crash(first, world.between(10 * MILLI, 1500 * MILLI));
    crash(anyServer(), world.between(10 * MILLI, 1500 * MILLI));
  }

  private void powerOutage() {
    world.met("all servers crashed at once");
    for (SimServer server : cluster.servers()) {
      crash(server, world.between(10 * MILLI, 2000 * MILLI));
    }
  }

  private void hold(SimProcess process, long nanos) {
    if (!process.up() || process.paused()) {
      return;
    }
    world.met("a server was held");
    world.log("fault", () -> "hold " + process);
    process.pause();
    world.later(
        nanos,
        () -> {
          if (process.paused()) {
            world.log("fault", () -> "resume " + process);
            process.resume();
          }
        });
  }

  private void isolate(SimProcess a, SimProcess b) {
    world.met("a link was cut");
    boolean there = world.chance(0.7);
    boolean back = !there || world.chance(0.6);
    world.log("fault", () -> "cut " + a + (back ? " <" : " ") + (there ? "> " : " ") + b);
    if (there) {
      network.cut(a, b);
    }
    if (back) {
      network.cut(b, a);
    }
    repairLater();
  }

  private void isolateFromAll(SimServer server) {
    world.met("a server was cut off from other servers and the manager, not from clients");
    world.log("fault", () -> "isolate " + server.process());
    for (SimServer other : cluster.servers()) {
      network.cut(server.process(), other.process());
      network.cut(other.process(), server.process());
    }
    network.cut(server.process(), cluster.manager().process());
    network.cut(cluster.manager().process(), server.process());
    repairLater();
  }

  private void repairLater() {
    world.later(
        world.between(50 * MILLI, 2000 * MILLI),
        () -> {
          world.log("fault", () -> "links repaired");
          network.repair();
        });
  }

  private void restartManager() {
    world.met("the manager restarted");
    world.log("fault", () -> "manager stops");
    cluster.manager().stop();
    world.later(
        world.between(10 * MILLI, 1000 * MILLI),
        () -> {
          if (!cluster.manager().process().up()) {
            world.log("fault", () -> "manager starts");
            cluster.manager().start();
          }
        });
  }

  private void badDisk(SimServer server) {
    world.met("a disk went bad");
    boolean full = world.chance(0.5);
    world.log("fault", () -> (full ? "full disk " : "bad disk ") + server.process());
    server.diskFails(full ? 0 : 0.05, full ? 0.2 : 0);
    world.later(
        world.between(50 * MILLI, 500 * MILLI),
        () -> {
          server.diskFails(0, 0);
          if (!full && server.process().up()) {
            crash(server, world.between(10 * MILLI, 300 * MILLI));
          }
        });
  }

  /** Ends all faults for good. */
  private void heal() {
    over = true;
    world.log("fault", () -> "all is well from here on");
    network.repair();
    network.quality(0, 0, 2 * MILLI);
    clients.forEach(client -> client.process().resume());
    if (!cluster.manager().process().up()) {
      cluster.manager().start();
    }
    for (SimServer server : cluster.servers()) {
      server.diskFails(0, 0);
      if (server.process().paused()) {
        server.process().resume();
      }
      if (!server.process().up()) {
        server.start();
      }
    }
  }

  boolean over() {
    return over;
  }
}
