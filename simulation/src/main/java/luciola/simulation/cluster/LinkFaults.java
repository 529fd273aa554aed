package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** Links that are cut, in one direction or both, or slow; and mended after a while. */
final class LinkFaults {
  private static final long MILLI = 1_000_000;

  private final Cluster cluster;
  private final World world;
  private final Network network;
  private final BooleanSupplier over;

  /**
   * @param over whether all faults have ended, and all links were mended with them
   */
  LinkFaults(Cluster cluster, BooleanSupplier over) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.network = cluster.network();
    this.over = over;
  }

  void cut(SimProcess a, SimProcess b) {
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

  void isolateFromPeers(SimServer server) {
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
  void cutOffPeers(SimServer server) {
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
  void isolateMeta(SimMeta meta) {
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
          if (!over.getAsBoolean()) {
            world.log("fault", () -> "links mended");
            mends.forEach(Runnable::run);
          }
        });
  }

  void slowLink(SimProcess from, SimProcess to) {
    world.met("a link became slow");
    network.slow(from, to, world.between(5 * MILLI, 80 * MILLI));
    world.later(world.between(50 * MILLI, 2000 * MILLI), () -> network.slow(from, to, 0));
  }
}
