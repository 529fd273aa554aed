package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.List;
import luciola.simulation.world.Network;
import luciola.simulation.world.SimProcess;
import luciola.simulation.world.World;

/** What goes wrong, until it is over and everything is mended. */
final class MemberFaults {
  private static final long MILLI = 1_000_000;

  private final World world;
  private final Network network;
  private final CommandLog log;
  private final List<SimMember> members;
  private final List<SimUser> users;
  private boolean over;

  MemberFaults(
      World world, Network network, CommandLog log, List<SimMember> members, List<SimUser> users) {
    this.world = world;
    this.network = network;
    this.log = log;
    this.members = members;
    this.users = users;
  }

  boolean over() {
    return over;
  }

  /** Strikes until then. */
  void plan(long untilNanos) {
    network.quality(
        world.chance(0.5) ? world.below(6) / 100.0 : 0,
        world.chance(0.5) ? world.below(20) / 100.0 : 0,
        world.between(MILLI, 40 * MILLI));
    long every = world.between(20 * MILLI, 400 * MILLI);
    strikeLater(every, untilNanos);
    world.later(untilNanos - world.nowNanos(), this::end);
  }

  private void strikeLater(long every, long untilNanos) {
    world.later(
        world.between(0, 2 * every),
        () -> {
          if (world.nowNanos() < untilNanos) {
            strike();
            strikeLater(every, untilNanos);
          }
        });
  }

  private void strike() {
    SimMember member =
        world.chance(0.6)
            ? log.leader().orElse(members.getFirst())
            : members.get(world.below(members.size()));
    SimUser user = users.get(world.below(users.size()));
    switch (world.below(14)) {
      case 0, 1 -> stop(member, false);
      case 2 -> stop(member, true);
      case 3, 4, 5 -> hold(member.process(), world.between(MILLI, 1500 * MILLI));
      case 6 -> hold(member.process(), world.between(2000 * MILLI, 6000 * MILLI));
      case 7, 8 -> log.transfer();
      case 9 -> isolate(member);
      case 10, 11 -> cut(user.process(), member.process());
      case 12 -> hold(user.process(), world.between(100 * MILLI, 6000 * MILLI));
      default -> kill(user);
    }
  }

  private void stop(SimMember member, boolean wipe) {
    boolean othersHaveAll =
        members.stream().filter(other -> other != member && !other.behind()).count() * 2
            > members.size();
    if (!member.process().up() || (wipe && !othersHaveAll)) {
      return;
    }
    world.log("fault", () -> (wipe ? "wipe " : "kill ") + member.process());
    member.process().stop();
    if (wipe) {
      member.wipe();
    }
    world.later(
        world.between(10 * MILLI, 1500 * MILLI),
        () -> {
          if (!member.process().up()) {
            member.start();
          }
        });
  }

  private void hold(SimProcess process, long nanos) {
    if (!process.up() || process.held()) {
      return;
    }
    world.log("fault", () -> "hold " + process);
    process.pause();
    world.later(nanos, process::resume);
  }

  private void kill(SimUser user) {
    if (user.process().up() && !user.process().held()) {
      world.log("fault", () -> "kill " + user.process());
      user.process().stop();
      world.later(
          world.between(10 * MILLI, 1000 * MILLI),
          () -> {
            if (!user.process().up()) {
              user.start();
            }
          });
    }
  }

  private void isolate(SimMember member) {
    world.log("fault", () -> "isolate " + member.process());
    for (SimMember other : members) {
      if (other != member) {
        cut(member.process(), other.process());
      }
    }
  }

  private void cut(SimProcess a, SimProcess b) {
    world.log("fault", () -> "cut " + a + " " + b);
    var mends = new ArrayList<Runnable>();
    boolean there = world.chance(0.7);
    if (there) {
      network.cut(a, b);
      mends.add(() -> network.mend(a, b));
    }
    if (!there || world.chance(0.6)) {
      network.cut(b, a);
      mends.add(() -> network.mend(b, a));
    }
    world.later(
        world.between(50 * MILLI, 2000 * MILLI),
        () -> {
          if (!over) {
            mends.forEach(Runnable::run);
          }
        });
  }

  private void end() {
    over = true;
    network.repair();
    network.quality(0, 0, 2 * MILLI);
    members.forEach(member -> mend(member.process(), member::start));
    users.forEach(user -> mend(user.process(), user::start));
  }

  private static void mend(SimProcess process, Runnable start) {
    if (!process.up()) {
      start.run();
    } else if (process.held()) {
      process.resume();
    }
  }
}
