package luciola.cli.soak.fault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import luciola.cli.soak.load.VerifyingLoad;
import luciola.client.LuciolaFileSystem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hurts a fleet in one way after the other, as a seed says, until told to stop. Whatever it does it
 * undoes: when {@link #run} returns every server runs and can be reached, though it may still be on
 * its way to serving. Interrupted, it leaves everything as it is.
 */
public final class FaultDriver implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(FaultDriver.class);

  private final FaultScene scene;
  private final StaleQuestions stale;
  private final ServerFaults servers;
  private final MetaFaults metas;
  private final DamageFaults damage;
  private final FillFault filling;
  private final List<FaultKind> kinds;
  private final int rounds;
  private final Map<FaultKind, Integer> done = new EnumMap<>(FaultKind.class);
  private volatile boolean stopping;
  private volatile @Nullable FaultKind latest;

  /**
   * Ready to run.
   *
   * @param files a client of its own
   * @param rounds how often each kind is done
   */
  public FaultDriver(
      FaultScene scene,
      VerifyingLoad load,
      LuciolaFileSystem files,
      ReplicaProbe probe,
      Set<FaultKind> kinds,
      int rounds) {
    this.scene = scene;
    this.stale = new StaleQuestions(scene.fleet, load, probe, scene::say);
    this.servers = new ServerFaults(scene, stale);
    this.metas = new MetaFaults(scene);
    this.damage = new DamageFaults(scene, load, probe);
    this.filling = new FillFault(scene, files, () -> stopping);
    this.kinds = kinds.stream().filter(kind -> possible(kind, scene.fleet)).sorted().toList();
    this.rounds = rounds;
  }

  private static boolean possible(FaultKind kind, Fleet fleet) {
    return switch (kind) {
      case CUT -> !fleet.cuts().isEmpty();
      case META_WIPE -> fleet.metaServers().size() > 1;
      case META_CUT -> !fleet.cuts().isEmpty() && fleet.metaServers().size() > 1;
      case KILL,
          KILL_TWO,
          KILL_ALL,
          KILL_DURING_RESYNC,
          PAUSE,
          PAUSE_SHORTLY,
          META_KILL,
          META_PAUSE,
          META_ROLL,
          CORRUPT,
          TRUNCATE,
          FULL ->
          true;
    };
  }

  /** How often each was done. */
  public synchronized Map<FaultKind, Integer> done() {
    return new EnumMap<>(done.isEmpty() ? new EnumMap<>(FaultKind.class) : done);
  }

  /** The one that happens, or happened last; empty before the first. */
  public Optional<FaultKind> latest() {
    return Optional.ofNullable(latest);
  }

  /** What servers answered that were asked for old data right after a pause, and how often. */
  public Map<String, Integer> staleAnswers() {
    return stale.answers();
  }

  /** Ends after the present fault. */
  public void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    try {
      for (int round = 0; round < rounds && !stopping && !kinds.isEmpty(); round++) {
        List<FaultKind> left = new ArrayList<>(kinds);
        Collections.shuffle(left, scene.random);
        while (!left.isEmpty() && !stopping) {
          FaultScene.quiet(scene.random.nextInt(500, 4_000));
          if (!stopping) {
            one(left.removeLast());
          }
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException broken) {
      if (!Thread.currentThread().isInterrupted()) {
        scene.findings.add("the fault driver goes on", "faults", "no exception", broken.toString());
        LOG.error("the fault driver ends", broken);
      }
    }
  }

  /** Does one fault, from the hurting to the mending. */
  public void one(FaultKind kind) throws IOException, InterruptedException {
    scene.revive();
    latest = kind;
    switch (kind) {
      case KILL -> servers.kill(1);
      case KILL_TWO -> servers.kill(2);
      case KILL_ALL -> servers.kill(scene.fleet.storageServers().size());
      case KILL_DURING_RESYNC -> servers.killDuringResync();
      case PAUSE -> servers.pause();
      case PAUSE_SHORTLY -> servers.pauseShortly();
      case META_KILL -> metas.kill();
      case META_PAUSE -> metas.pause();
      case META_CUT -> metas.cut();
      case META_WIPE -> metas.wipe();
      case META_ROLL -> metas.roll();
      case CORRUPT -> damage.corrupt();
      case TRUNCATE -> damage.truncate();
      case FULL -> filling.full();
      case CUT -> servers.cut();
    }
    synchronized (this) {
      done.merge(kind, 1, Integer::sum);
    }
    if (scene.random.nextInt(3) > 0) {
      var _ = scene.awaitWhole(kind.optionName());
    }
  }
}
