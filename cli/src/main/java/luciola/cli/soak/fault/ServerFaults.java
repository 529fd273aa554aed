package luciola.cli.soak.fault;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import luciola.cli.soak.load.BlockAddress;

/** Storage-servers that are killed, paused or cut off. */
final class ServerFaults {
  private final FaultScene scene;
  private final StaleQuestions stale;

  ServerFaults(FaultScene scene, StaleQuestions stale) {
    this.scene = scene;
    this.stale = stale;
  }

  void kill(int count) throws IOException, InterruptedException {
    List<String> servers = scene.some(count);
    scene.say("kill " + servers);
    for (String server : servers) {
      scene.fleet.kill(server);
      FaultScene.quiet(scene.random.nextInt(count == 1 ? 1 : 400));
    }
    FaultScene.quiet(scene.awayMillis());
    Collections.shuffle(servers, scene.random);
    for (String server : servers) {
      scene.fleet.start(server);
      scene.say("started " + server);
      FaultScene.quiet(scene.random.nextInt(count == 1 ? 1 : 1_500));
    }
  }

  void killDuringResync() throws IOException, InterruptedException {
    List<String> servers = scene.some(2);
    scene.say("kill " + servers.getFirst() + ", then " + servers.getLast() + " during resync");
    scene.fleet.kill(servers.getFirst());
    Optional<String> unseen =
        scene.watch.await(
            view -> view.nodesAlive() < scene.fleet.storageServers().size(), FaultScene.RECOVERY);
    scene.fleet.start(servers.getFirst());
    if (unseen.isEmpty()) {
      scene.watch.await(
          view ->
              view.chains().stream()
                  .anyMatch(chain ->
                      chain.members().stream().anyMatch(each -> each.endsWith(":syncing"))),
          Duration.ofSeconds(30));
    }
    scene.fleet.kill(servers.getLast());
    FaultScene.quiet(scene.awayMillis());
    scene.fleet.start(servers.getLast());
    scene.say("started " + servers.getLast());
  }

  /** Longer than the failure time; it is asked for old data when it wakes up. */
  void pause() throws IOException {
    String server = scene.some(1).getFirst();
    Map<BlockAddress, ReplicaProbe.Replica> known = stale.blocksOf(server, scene.random);
    long longer = scene.longerMillis(scene.timings.failureNanos(), 3_000);
    scene.say("pause " + server + " for " + longer + " ms, asking for " + known.size() + " blocks");
    scene.fleet.pause(server);
    try {
      FaultScene.quiet(longer);
      // What it has on its way when it wakes up: requests of clients that know no better.
      var questions = new ArrayList<>(stale.ask(known));
      scene.fleet.resume(server);
      for (int again = 0; again < 3; again++) {
        questions.addAll(stale.ask(known));
        FaultScene.quiet(20);
      }
      stale.settle(questions);
    } finally {
      scene.fleet.resume(server);
    }
    scene.say("resumed " + server + ", answers so far " + stale.answers());
  }

  /** Shorter than the lease. */
  void pauseShortly() throws IOException {
    String server = scene.some(1).getFirst();
    long shorter =
        200
            + scene.random.nextLong(
                TimeUnit.NANOSECONDS.toMillis(scene.timings.leaseNanos()) - 200);
    scene.say("pause " + server + " shortly, for " + shorter + " ms");
    scene.fleet.pause(server);
    FaultScene.quiet(shorter);
    scene.fleet.resume(server);
  }

  void cut() throws IOException, InterruptedException {
    String server = scene.some(1).getFirst();
    List<Cut> ways = scene.fleet.cuts().stream().sorted().toList();
    Cut way = ways.get(scene.random.nextInt(ways.size()));
    Map<BlockAddress, ReplicaProbe.Replica> known =
        way == Cut.MANAGER || way == Cut.MANAGER_UNHEARD
            ? stale.blocksOf(server, scene.random)
            : Map.of();
    long millis = scene.longerMillis(scene.timings.failureNanos(), 4_000);
    scene.say("cut " + server + " off " + way + " for " + millis + " ms");
    scene.fleet.cut(server, way);
    try {
      FaultScene.quiet(millis);
      // It can be reached and believes what it always believed, but the chains go on without it.
      stale.settle(stale.ask(known));
    } finally {
      scene.fleet.heal(server);
    }
    scene.say("healed " + server);
  }
}
