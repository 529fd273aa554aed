package luciola.cli.soak.fault;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import luciola.cli.soak.load.BlockAddress;
import luciola.cli.soak.load.VerifyingLoad;

/**
 * Block files of one server are damaged, never more than the replicas can make good: not of another
 * server before every replica of the first was read and found right.
 */
final class DamageFaults {
  private static final Duration SWEEP = Duration.ofSeconds(30);
  private static final Duration ASK = Duration.ofSeconds(20);

  private final FaultScene scene;
  private final VerifyingLoad load;
  private final ReplicaProbe probe;

  DamageFaults(FaultScene scene, VerifyingLoad load, ReplicaProbe probe) {
    this.scene = scene;
    this.load = load;
    this.probe = probe;
  }

  void corrupt() throws IOException {
    if (!scene.awaitWhole("what was before corruption")) {
      return;
    }
    String server = scene.some(1).getFirst();
    int pages = 0;
    for (Path target : scene.fleet.targetDirectories(server)) {
      pages += new BlockDamage(target, scene.random).flipBits(1 + scene.random.nextInt(12));
    }
    scene.say("flipped bits in " + pages + " pages of " + server);
    sweep(server, "flipped bits");
  }

  void truncate() throws IOException, InterruptedException {
    if (!scene.awaitWhole("what was before truncation")) {
      return;
    }
    String server = scene.some(1).getFirst();
    boolean down = scene.random.nextBoolean();
    if (down) {
      scene.fleet.kill(server);
    }
    var cut = new ArrayList<String>();
    for (Path target : scene.fleet.targetDirectories(server)) {
      cut.add(new BlockDamage(target, scene.random).cut());
    }
    scene.say("cut " + cut + " of " + server + (down ? ", which is down" : ", which runs"));
    if (down) {
      scene.fleet.start(server);
    }
    sweep(server, "cut block files");
  }

  /**
   * Reads every block of a server's replicas until all are right. A target may also give up its
   * disk: then its server is started again, which must mend it.
   */
  private void sweep(String server, String after) throws IOException {
    long deadline = System.nanoTime() + FaultScene.RECOVERY.toNanos();
    boolean restarted = false;
    while (!Thread.currentThread().isInterrupted()) {
      int bad = sweepOnce(server);
      Optional<String> notWhole = scene.watch.awaitWhole(SWEEP);
      if (bad == 0 && notWhole.isEmpty()) {
        scene.say("every block of " + server + " is right after " + after);
        return;
      }
      if (System.nanoTime() - deadline > 0) {
        scene.findings.add(
            "damage is repaired",
            server + " after " + after,
            "every block good",
            bad + " bad; " + notWhole.orElse("all serve"));
        return;
      }
      if (notWhole.isPresent() && !restarted) {
        restarted = true;
        scene.say("starting " + server + " again: " + notWhole.get());
        restart(server);
      }
    }
  }

  private void restart(String server) throws IOException {
    try {
      if (scene.fleet.ended(server).isEmpty()) {
        scene.fleet.kill(server);
      }
      scene.fleet.start(server);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private int sweepOnce(String server) {
    int bad = 0;
    for (BlockAddress block : load.allBlocks()) {
      for (ReplicaProbe.Replica replica : probe.replicas(block)) {
        if (replica.address().equals(scene.fleet.address(server))) {
          bad += goodBlock(replica, block) ? 0 : 1;
        }
      }
    }
    return bad;
  }

  private boolean goodBlock(ReplicaProbe.Replica replica, BlockAddress block) {
    Optional<VerifyingLoad.DirectRead> read =
        load.beginDirectRead("a damaged replica gives nothing wrong", block);
    if (read.isEmpty()) {
      return true;
    }
    ReplicaProbe.Answer answer = probe.read(replica, block, ASK).join();
    if (answer.good()) {
      return read.get().got(answer.bytes());
    }
    read.get().refused();
    if (answer.badPiece() >= 0) {
      probe.look(replica, block, answer.badPiece(), ASK).join();
    }
    return false;
  }
}
