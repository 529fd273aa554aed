package luciola.storage.host;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import luciola.grpc.v1.ChainReport;
import luciola.grpc.v1.LocalState;
import luciola.grpc.v1.ResyncReport;
import luciola.grpc.v1.ScrubReport;
import luciola.grpc.v1.TargetReport;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.EngineUsage;
import luciola.storage.replica.ChainRunner;
import luciola.storage.replica.ResyncRunner;
import luciola.storage.scrub.ScrubState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What heartbeats say of this server's targets. One target's trouble never hides another's state.
 */
final class Reports {
  private static final Logger log = LoggerFactory.getLogger(Reports.class);

  private final Runners runners;
  private final Function<TargetId, ScrubState> scrubs;

  Reports(Runners runners, Function<TargetId, ScrubState> scrubs) {
    this.runners = runners;
    this.scrubs = scrubs;
  }

  /** What to report of each target. */
  List<TargetReport> all() {
    var reports = new HashMap<TargetId, TargetReport.Builder>();
    for (Map.Entry<TargetId, ChunkEngine> each : runners.engines().entrySet()) {
      reports.put(each.getKey(), report(each.getKey(), each.getValue()));
    }
    runners.detached().forEach((id, why) -> reports.put(id, closed(id, why)));
    for (ChainRunner runner : runners.all()) {
      TargetReport.Builder report = reports.get(runner.target());
      if (report != null) {
        add(report, runner);
      }
    }
    return reports.values().stream().map(TargetReport.Builder::build).toList();
  }

  private static TargetReport.Builder closed(TargetId id, String why) {
    return TargetReport.newBuilder()
        .setTargetId(id.value())
        .setLocalState(LocalState.LOCAL_STATE_OFFLINE)
        .setError(why);
  }

  private TargetReport.Builder report(TargetId id, ChunkEngine engine) {
    TargetReport.Builder report = TargetReport.newBuilder().setTargetId(id.value());
    try {
      fill(report, id, engine);
    } catch (RuntimeException e) {
      log.error("state of a target is not known, it counts as offline target={}", id, e);
      report.setLocalState(LocalState.LOCAL_STATE_OFFLINE).setError("state is not known: " + e);
    }
    return report;
  }

  private void fill(TargetReport.Builder report, TargetId id, ChunkEngine engine) {
    boolean healthy = engine.isHealthy();
    EngineUsage usage = engine.usage();
    report
        .setLocalState(healthy ? LocalState.LOCAL_STATE_ONLINE : LocalState.LOCAL_STATE_OFFLINE)
        .setError(engine.failure().orElse(""))
        .setCapacityBytes(usage.capacityBytes())
        .setUsedBytes(usage.usedBytes())
        .setChunks(usage.chunks())
        .setLowSpace(usage.lowSpace())
        .setReadLatencyNanos(usage.reads().meanNanos())
        .setFlushLatencyNanos(usage.flushes().meanNanos())
        .setChecksumErrors(engine.checksumErrors())
        .setReplicasDisagreed(runners.disagreements(id).sum())
        .setScrub(scrub(scrubs.apply(id)))
        .addAllDroppingChains(runners.droppedBy(id).stream().map(ChainId::value).toList());
  }

  private static ScrubReport scrub(ScrubState state) {
    ScrubReport.Builder report =
        ScrubReport.newBuilder()
            .setBytesDone(state.bytesDone())
            .setBytesTotal(state.bytesTotal())
            .setPasses(state.passes())
            .setFound(state.found())
            .setRepaired(state.repaired());
    if (state.lastPassAgeNanos() >= 0) {
      report.setLastPassAgeNanos(state.lastPassAgeNanos());
    }
    return report.build();
  }

  /**
   * Adds a chain's part. A target is not called offline while a replica of it still acts: the
   * manager would let others go on without one that serves until its next tick.
   */
  private static void add(TargetReport.Builder report, ChainRunner runner) {
    int version = runner.chainVersion();
    LocalState state = RoutingMessages.toMessage(runner.localState());
    if (version > 0) {
      report.addChains(
          ChainReport.newBuilder()
              .setChainId(runner.chainId().value())
              .setLocalState(state)
              .setChainVersion(version));
    }
    if (state != LocalState.LOCAL_STATE_OFFLINE) {
      report.setLocalState(LocalState.LOCAL_STATE_ONLINE);
    }
    if (report.getError().isEmpty()) {
      report.setError(runner.trouble());
    }
    report
        .setTombstones(
            report.getTombstones() + runner.engine().chain(runner.chainId()).totals().tombstones())
        .setTombstonesCollected(report.getTombstonesCollected() + runner.tombstonesForgotten());
    runner.resyncs().forEach(running -> report.addResyncs(resync(runner.chainId(), running)));
  }

  private static ResyncReport resync(ChainId chain, ResyncRunner.Running running) {
    return ResyncReport.newBuilder()
        .setChainId(chain.value())
        .setTargetId(running.to().value())
        .setBytesDone(running.progress().bytesDone())
        .setBytesTotal(running.progress().bytesTotal())
        .setChunksDone(running.progress().chunksDone())
        .setChunksTotal(running.progress().chunksTotal())
        .setElapsedNanos(running.elapsedNanos())
        .setChunksCopied(running.progress().copied())
        .setBytesCopied(running.progress().bytesCopied())
        .setDisagreed(running.progress().disagreed())
        .build();
  }

  /** The last word: every target is offline. */
  List<TargetReport> offline() {
    return Stream.concat(runners.engines().keySet().stream(), runners.detached().keySet().stream())
        .distinct()
        .map(id ->
            TargetReport.newBuilder()
                .setTargetId(id.value())
                .setLocalState(LocalState.LOCAL_STATE_OFFLINE)
                .build())
        .toList();
  }
}
