package luciola.cli.soak.fault;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import luciola.cli.operate.ClusterView;

/** The meta-server that leads is killed, paused or cut off; if nobody knows who leads, any. */
final class MetaFaults {
  /** What makes sense for one of several: it cannot be cut off a manager, being one. */
  private static final List<Cut> WAYS = List.of(Cut.ALL, Cut.PEERS, Cut.DEAF, Cut.MUTE);

  private static final long SETTLE_MILLIS = 4_000;

  private final FaultScene scene;

  MetaFaults(FaultScene scene) {
    this.scene = scene;
  }

  private String leader() {
    List<String> all = scene.fleet.metaServers();
    String address = scene.watch.view().map(ClusterView::leader).orElse("");
    Optional<String> leads =
        all.stream().filter(name -> scene.fleet.address(name).equals(address)).findFirst();
    return leads.orElseGet(() -> all.get(scene.random.nextInt(all.size())));
  }

  void kill() throws IOException, InterruptedException {
    String server = leader();
    scene.say("kill " + server);
    scene.fleet.kill(server);
    FaultScene.quiet(scene.awayMillis());
    scene.fleet.start(server);
    scene.say("started " + server);
  }

  /** One that leads or one that follows comes back with nothing, and is filled by the others. */
  void wipe() throws IOException, InterruptedException {
    List<String> all = scene.fleet.metaServers();
    String server =
        scene.random.nextBoolean() ? leader() : all.get(scene.random.nextInt(all.size()));
    scene.say("wipe " + server);
    scene.fleet.kill(server);
    scene.fleet.wipe(server);
    FaultScene.quiet(scene.awayMillis());
    scene.fleet.start(server);
    scene.say("started " + server + " with an empty disk");
    // The next fault must not take a second one of them before this one has everything again.
    FaultScene.quiet(SETTLE_MILLIS);
    scene.awaitMembers();
  }

  void roll() throws IOException, InterruptedException {
    for (String server : scene.fleet.metaServers()) {
      scene.say("restart " + server);
      scene.fleet.kill(server);
      scene.fleet.start(server);
      // For a while the leader still thinks well of it.
      FaultScene.quiet(SETTLE_MILLIS);
      scene.awaitMembers();
    }
  }

  void pause() throws IOException {
    String server = leader();
    long longer = scene.longerMillis(scene.timings.leaseNanos(), 3_000);
    scene.say("pause " + server + " for " + longer + " ms");
    scene.fleet.pause(server);
    try {
      FaultScene.quiet(longer);
    } finally {
      scene.fleet.resume(server);
    }
    scene.say("resumed " + server);
  }

  void cut() throws IOException, InterruptedException {
    String server = leader();
    List<Cut> ways = WAYS.stream().filter(scene.fleet.cuts()::contains).toList();
    Cut way = ways.get(scene.random.nextInt(ways.size()));
    long millis = scene.longerMillis(scene.timings.failureNanos(), 4_000);
    scene.say("cut " + server + " off " + way + " for " + millis + " ms");
    scene.fleet.cut(server, way);
    try {
      FaultScene.quiet(millis);
    } finally {
      scene.fleet.heal(server);
    }
    scene.say("healed " + server);
  }
}
