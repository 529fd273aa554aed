package luciola.simulation.namespace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import luciola.simulation.SimulatedRun;
import luciola.simulation.SimulationOptions;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Network;
import luciola.simulation.world.Probe;
import luciola.simulation.world.Trace;
import luciola.simulation.world.World;

/**
 * One run under one seed: members of the meta-servers start, clients work while faults strike, all
 * is mended, clients end, what is lost is collected, and every member has the model's tree.
 */
public final class NamespaceRun implements SimulatedRun {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1000 * MILLI;
  private static final long CLIENT_TIMEOUT_NANOS = 3 * SECOND;
  private static final double DRIFT_MAX = 0.04;

  private final World world;
  private final Books books;
  private final List<SimMember> members = new ArrayList<>();
  private final List<SimUser> users = new ArrayList<>();
  private final SimUser collector;
  private final MemberFaults faults;

  /** A run that has not begun. */
  public NamespaceRun(long seed, SimulationOptions options, Trace trace) {
    this.world = new World(seed, trace);
    var network = new Network(world);
    this.books =
        new Books(world, (long) (CLIENT_TIMEOUT_NANOS * (1 - 2 * DRIFT_MAX)), options.bug());
    var log = new CommandLog(world, network, books);
    int memberCount = world.chance(0.2) ? 1 : world.chance(0.7) ? 3 : 5;
    for (int i = 1; i <= memberCount; i++) {
      members.add(
          new SimMember(
              world,
              network,
              books,
              log,
              i,
              memberCount,
              CLIENT_TIMEOUT_NANOS,
              DRIFT_MAX,
              options.bug()));
    }
    log.members(members);
    UserOperations.Plan plan = UserOperations.Plan.draw(world);
    int userCount = 1 + world.below(4);
    for (int i = 1; i <= userCount; i++) {
      users.add(
          new SimUser(
              world,
              network,
              books,
              members,
              plan,
              i,
              options.operations() / userCount,
              DRIFT_MAX,
              options.bug()));
    }
    this.collector = users.getFirst();
    this.faults = new MemberFaults(world, network, log, members, users);
    world.log("run", () -> "members=" + memberCount + " users=" + userCount + " " + plan);
  }

  @Override
  public Optional<String> run() {
    try {
      simulate();
      return Optional.empty();
    } catch (RuleBroken broken) {
      return Optional.of(String.valueOf(broken.getMessage()));
    } catch (IllegalStateException | IllegalArgumentException | NullPointerException broken) {
      return Optional.of(RuleBroken.programFailed(broken));
    }
  }

  private void simulate() {
    members.forEach(SimMember::start);
    users.forEach(SimUser::start);
    faults.plan(world.nowNanos() + world.between(SECOND, 8 * SECOND));
    runUntil(60 * SECOND, () -> faults.over() && users.stream().allMatch(SimUser::finished));
    // Whoever is gone now is found gone, and then nothing is open any more.
    users.stream().filter(user -> user != collector).forEach(user -> user.process().stop());
    collector.process().stop();
    runUntil(world.nowNanos() + 5 * CLIENT_TIMEOUT_NANOS, () -> !books.model().anySessions());
    collector.collect(books::garbageLeft);
    runUntil(
        world.nowNanos() + 20 * SECOND,
        () ->
            !books.garbageLeft()
                && !books.isLeftToCount()
                && collector.finished()
                && members.stream().allMatch(SimMember::isUpToDate));
    books.judge(members);
  }

  private void runUntil(long untilNanos, BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      long next = Math.min(untilNanos, world.nowNanos() + 20 * MILLI);
      while (world.step(next)) {}
      if (world.nowNanos() >= untilNanos && !condition.getAsBoolean()) {
        throw new RuleBroken("EverythingEnds", "not in time: " + members + " " + users);
      }
    }
  }

  @Override
  public Map<String, Long> coverage() {
    return world.coverage();
  }

  @Override
  public Map<Probe, Long> reached() {
    return world.reached();
  }

  @Override
  public long operations() {
    return users.stream().mapToLong(SimUser::done).sum();
  }

  @Override
  public long simulatedNanos() {
    return world.nowNanos();
  }

  @Override
  public int undecided() {
    return 0;
  }
}
