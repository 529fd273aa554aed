package luciola.simulation.cluster;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.CollectRequest;
import luciola.protocol.frame.DedupRequest;
import luciola.protocol.frame.ForgetRequest;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.frame.RemovedChunk;
import luciola.protocol.frame.Reply;
import luciola.protocol.frame.Request;
import luciola.protocol.frame.SyncDoneRequest;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.frame.VersionRequest;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.simulation.PlantedBug;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;

/** Planted bugs in what a server says to its peers. */
final class PeerBugs {
  private final Cluster cluster;
  private final SimServer server;
  private final Set<Acked> acked = new HashSet<>();

  /** A version that some successor once acknowledged. */
  private record Acked(ChainId chain, TargetId by, ChunkId chunk, ChunkVersion version) {}

  PeerBugs(Cluster cluster, SimServer server) {
    this.cluster = cluster;
    this.server = server;
  }

  void newLife() {
    acked.clear();
  }

  /** Answers a request without sending it; whether it did. */
  <R extends Reply> boolean answered(Request request, Class<R> type, CompletableFuture<R> result) {
    Optional<Reply> made =
        switch (request) {
          case VersionRequest question when cluster.has(PlantedBug.SKIP_VERSION_QUERY) ->
              Optional.of(guess(question));
          case ForwardRequest forward
              when cluster.has(PlantedBug.KEEP_OLD_ACKS) && !forward.copy() && known(forward) ->
              Optional.of(
                  new UpdateReply(
                      ErrorCode.OK, forward.version(), 0, 0, forward.chainVersion().value()));
          case SyncDoneRequest done when cluster.has(PlantedBug.EARLY_DEDUP_RECORDS) -> {
            handOverAll(done);
            yield Optional.empty();
          }
          case CollectRequest question when cluster.has(PlantedBug.COLLECT_WITHOUT_FLOOR) ->
              Optional.of(allYes(question.chainVersion(), question.removed()));
          case ForgetRequest order when cluster.has(PlantedBug.COLLECT_WITHOUT_FLOOR) -> {
            forgetAt(order);
            yield Optional.of(allYes(order.chainVersion(), order.removed()));
          }
          default -> Optional.empty();
        };
    made.ifPresent(reply -> server.process().later(0, () -> result.complete(type.cast(reply))));
    return made.isPresent();
  }

  /** What is sent in the place of a request. */
  Request sent(Request request) {
    return request instanceof ForwardRequest forward && cluster.has(PlantedBug.TAKE_LATE_FORWARDS)
        ? new ForwardRequest(
            forward.chain(),
            forward.chainVersion(),
            forward.from(),
            forward.to(),
            forward.chunk(),
            forward.version(),
            forward.committed(),
            forward.tag(),
            forward.update(),
            forward.copy(),
            forward.committedChainVersion(),
            Integer.MAX_VALUE,
            forward.checksums())
        : request;
  }

  /** What came back from a peer. */
  void answer(Request request, Reply reply) {
    if (reply.code() == ErrorCode.OK && request instanceof ForwardRequest forward) {
      acked.add(new Acked(forward.chain(), forward.from(), forward.chunk(), forward.version()));
    }
  }

  private boolean known(ForwardRequest forward) {
    return acked.contains(
        new Acked(forward.chain(), forward.from(), forward.chunk(), forward.version()));
  }

  /** The newest version here, instead of asking. */
  private VersionReply guess(VersionRequest question) {
    return new VersionReply(
        ErrorCode.OK,
        question.chainVersion().value(),
        question.chunks().stream()
            .map(chunk -> new VersionReply.Answer(ErrorCode.OK, newest(question.chain(), chunk)))
            .toList());
  }

  private ChunkVersion newest(ChainId chain, ChunkId chunk) {
    for (SimTarget target : server.targets()) {
      Optional<ChunkEngine> engine = target.engine();
      if (engine.isPresent() && server.hosts(chain, target.id())) {
        return engine
            .get()
            .chunk(new ChunkKey(chain, chunk))
            .newest()
            .map(VersionRecord::version)
            .orElse(ChunkVersion.NONE);
      }
    }
    return ChunkVersion.NONE;
  }

  private static CollectReply allYes(ChainVersion version, List<RemovedChunk> removed) {
    return new CollectReply(
        ErrorCode.OK, version.value(), removed.stream().map(_ -> true).toList());
  }

  /** The member forgets, but its floor stays where it is. */
  private void forgetAt(ForgetRequest order) {
    cluster
        .target(order.to())
        .flatMap(SimTarget::engine)
        .ifPresent(engine ->
            order
                .removed()
                .forEach(each ->
                    ReplicaWatch.dropTombstone(
                        engine, new ChunkKey(order.chain(), each.chunk()), each.version())));
  }

  private void handOverAll(SyncDoneRequest done) {
    cluster
        .target(done.from())
        .flatMap(SimTarget::engine)
        .ifPresent(engine -> {
          var records = engine.chain(done.chain()).dedups(Optional.empty(), 100);
          if (!records.isEmpty()) {
            server
                .port()
                .call(
                    done.to(),
                    new DedupRequest(
                        done.chain(), done.chainVersion(), done.from(), done.to(), records));
          }
        });
  }
}
