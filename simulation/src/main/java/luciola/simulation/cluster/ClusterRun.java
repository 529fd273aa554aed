package luciola.simulation.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.LocalState;
import luciola.simulation.SimulatedRun;
import luciola.simulation.SimulationOptions;
import luciola.simulation.check.ReadsAreLinearizable;
import luciola.simulation.check.ReplicasConverge;
import luciola.simulation.check.RuleBroken;
import luciola.simulation.world.Probe;
import luciola.simulation.world.Trace;
import luciola.simulation.world.World;

/**
 * One run under one seed: a cluster starts, clients work while faults strike, all is repaired, and
 * within a bound all replicas serve and agree.
 */
public final class ClusterRun implements SimulatedRun {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1000 * MILLI;
  private static final long START_NANOS = 3 * SECOND;
  private static final long CONVERGENCE_NANOS = 40 * SECOND;
  private static final int CONFIGURATIONS_MAX = 400_000;
  private static final double DRIFT_MAX = 0.04;

  private final World world;
  private final ClusterPlan plan;
  private final Cluster cluster;
  private final List<SimMeta> metas = new ArrayList<>();
  private final List<SimServer> servers = new ArrayList<>();
  private final List<SimClient> clients = new ArrayList<>();
  private final Faults faults;
  private final Operator operator;
  private final ReadsAreLinearizable linearizable = new ReadsAreLinearizable(CONFIGURATIONS_MAX);

  /** A run that has not begun. */
  public ClusterRun(long seed, SimulationOptions options, Trace trace) {
    this.world = new World(seed, trace);
    this.plan = ClusterPlan.draw(world, seed);
    world.log("run", plan::toString);
    this.cluster = new Cluster(world, plan, options.bug());
    for (int i = 1; i <= plan.metas(); i++) {
      metas.add(new SimMeta(cluster, cluster.log(), i, plan.metas() == 1, DRIFT_MAX));
    }
    cluster.metas(metas);
    for (int i = 1; i <= plan.servers(); i++) {
      servers.add(new SimServer(cluster, i, DRIFT_MAX));
    }
    cluster.servers(servers);
    for (int i = 1; i <= plan.clients(); i++) {
      int share =
          options.operations() / plan.clients()
              + (i <= options.operations() % plan.clients() ? 1 : 0);
      clients.add(new SimClient(cluster, i, share, DRIFT_MAX));
    }
    this.faults = new Faults(cluster, clients);
    this.operator = new Operator(cluster);
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
    } finally {
      cluster.memory().abandon();
    }
  }

  private void simulate() {
    metas.forEach(SimMeta::start);
    servers.forEach(SimServer::start);
    runUntil(START_NANOS, this::allServe);
    clients.forEach(SimClient::start);
    long untilNanos = world.nowNanos() + world.between(SECOND, 4 * SECOND);
    faults.plan(untilNanos);
    operator.plan(untilNanos);
    runUntil(
        120 * SECOND,
        () -> {
          if (faults.over()) {
            restartFailed();
            operator.finish();
          }
          return faults.over() && clients.stream().allMatch(SimClient::finished);
        });
    runUntil(world.nowNanos() + CONVERGENCE_NANOS, this::settled);
    awaitScrub();
    judge();
  }

  /** A bit that turned over a moment ago is found and repaired within one look over everything. */
  private void awaitScrub() {
    if (servers.stream().flatMap(server -> server.targets().stream()).anyMatch(SimTarget::rotten)) {
      long doneNanos = world.nowNanos() + SECOND;
      runUntil(doneNanos + SECOND, () -> world.nowNanos() >= doneNanos);
    }
  }

  private void runUntil(long untilNanos, java.util.function.BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      long next = Math.min(untilNanos, world.nowNanos() + 20 * MILLI);
      while (world.step(next)) {}
      if (world.nowNanos() >= untilNanos && !condition.getAsBoolean()) {
        throw new RuleBroken(ReplicasConverge.RULE, "not in time:" + describe());
      }
    }
  }

  private String describe() {
    var text = new StringBuilder("\n  books " + cluster.books().chains().values());
    for (SimServer server : servers) {
      text.append("\n  ").append(server.process()).append(server.process().up() ? "" : " down");
      server.replicas().forEach(replica -> text.append("\n    ").append(replica));
    }
    clients.forEach(client ->
        text.append("\n  ").append(client.process()).append(client.finished() ? "" : " works"));
    return text.append(plan.operated() ? operator.describe() : "").toString();
  }

  private boolean allServe() {
    if (cluster.books().chains().size() != plan.chains()) {
      return false;
    }
    for (Chain chain : cluster.books().chains().values()) {
      if (chain.serving().size() != chain.members().size()) {
        return false;
      }
      for (TargetId member : chain.serving()) {
        boolean knows =
            cluster
                .target(member)
                .flatMap(target -> target.server().replica(chain.id(), member))
                .filter(replica ->
                    replica.core().chainVersion() == chain.version().value()
                        && replica.core().localState() == LocalState.UP_TO_DATE)
                .isPresent();
        if (!knows) {
          return false;
        }
      }
    }
    return true;
  }

  /** A target that failed stays out until somebody restarts its server. */
  private void restartFailed() {
    for (SimServer server : servers) {
      if (server.process().up() && server.failed()) {
        server.crash(false);
        server.start();
      }
    }
  }

  private boolean settled() {
    restartFailed();
    operator.finish();
    return allServe()
        && operator.done()
        && servers.stream()
            .allMatch(server ->
                server.quiet() && server.replicas().stream().allMatch(ReplicaWatch::quiet))
        && cluster.books().chains().values().stream().allMatch(this::whole);
  }

  /** Whether the scrub found all rot that was left, and others helped. */
  private boolean whole(Chain chain) {
    return chain.serving().stream()
        .allMatch(member -> cluster.target(member).orElseThrow().whole(chain.id()));
  }

  private void judge() {
    for (Chain chain : new TreeMap<>(cluster.books().chains()).values()) {
      Map<String, Map<ChunkId, String>> contents = new TreeMap<>();
      long floor =
          chain.serving().stream()
              .mapToLong(member -> cluster.target(member).orElseThrow().versionFloor(chain.id()))
              .max()
              .orElse(0);
      for (TargetId member : chain.serving()) {
        SimTarget target = cluster.target(member).orElseThrow();
        contents.put(target.toString(), target.committed(chain.id(), floor));
        cluster.rules().survive.check(chain.id(), target.replica(chain.id()));
        for (int index = 0; index < plan.chunksPerChain(); index++) {
          ChunkId chunk = Cluster.chunk(chain.id(), index);
          cluster
              .rules()
              .history
              .read(
                  "end",
                  chunk,
                  world.nowNanos(),
                  world.nowNanos(),
                  target.content(chain.id(), chunk));
        }
      }
      ReplicasConverge.check(contents);
    }
    linearizable.check(cluster.rules().history);
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
    return clients.stream().mapToLong(SimClient::done).sum();
  }

  @Override
  public long simulatedNanos() {
    return world.nowNanos();
  }

  @Override
  public int undecided() {
    return linearizable.undecided();
  }
}
