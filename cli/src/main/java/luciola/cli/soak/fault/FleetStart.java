package luciola.cli.soak.fault;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.terminal.CommandFailure;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.cluster.ClusterTimings;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.error.LuciolaException;

/** Brings a prepared fleet up for the first time, until every replica serves. */
public final class FleetStart {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final Duration ROUND = Duration.ofSeconds(5);
  private static final long AGAIN_NANOS = 100_000_000;
  private static final long CALL_NANOS = 15_000_000_000L;

  private FleetStart() {}

  /**
   * Starts all servers, makes a table of chains, and waits.
   *
   * @return who watches it from now on; closed by the caller
   * @throws CommandFailure if it does not come up
   */
  public static Watch start(Fleet fleet, ClusterTimings timings, int replicas) throws IOException {
    for (String server : fleet.metaServers()) {
      fleet.start(server);
    }
    for (String server : fleet.storageServers()) {
      fleet.start(server);
    }
    Watch watch = awaitServers(fleet, Duration.ofNanos(timings.failureNanos() * 3 / 2));
    try (var meta =
        MetaConnection.connect(MetaOptions.of(fleet.metaAddresses()).withCallNanos(CALL_NANOS))) {
      meta.createTable(CreateTableRequest.newBuilder().setReplicas(replicas).build());
      Optional<String> seen = watch.awaitWhole(TIMEOUT);
      if (seen.isPresent()) {
        throw CommandFailure.failed("the chains do not become whole: " + seen.get());
      }
      return watch;
    } catch (RuntimeException e) {
      watch.close();
      throw e;
    }
  }

  private static Watch awaitServers(Fleet fleet, Duration settle) {
    int count = fleet.storageServers().size();
    long deadline = System.nanoTime() + TIMEOUT.toNanos();
    while (System.nanoTime() - deadline < 0 && !Thread.currentThread().isInterrupted()) {
      failIfEnded(fleet, fleet.metaServers());
      failIfEnded(fleet, fleet.storageServers());
      try {
        var watch = new Watch(fleet.metaAddresses(), count, settle);
        if (watch.await(view -> view.nodesAlive() >= count, ROUND).isEmpty()) {
          return watch;
        }
        watch.close();
      } catch (LuciolaException notYet) {
        LockSupport.parkNanos(AGAIN_NANOS);
      }
    }
    String meta = fleet.metaServers().getFirst();
    throw CommandFailure.failed(
        "the servers do not come up: " + meta + " said last: " + fleet.lastWords(meta));
  }

  private static void failIfEnded(Fleet fleet, List<String> servers) {
    for (String server : servers) {
      Optional<String> ended = fleet.ended(server);
      if (ended.isPresent()) {
        throw CommandFailure.failed(server + " ended: " + ended.get());
      }
    }
  }
}
