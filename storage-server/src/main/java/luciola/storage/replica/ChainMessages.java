package luciola.storage.replica;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import luciola.protocol.frame.CollectReply;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.VersionReply;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.TargetId;
import luciola.storage.chain.ChainEffect;
import luciola.storage.chain.ChainEvent;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.peer.Peers;
import luciola.storage.peer.SendQueue;

/**
 * Sends a replica's messages to the other members and brings their answers back. Belongs to the
 * chain's lane.
 */
final class ChainMessages {
  private final ChunkEngine engine;
  private final ReplicaParts parts;
  private final OpenWork work;
  private final Executor owner;
  private final Executor light;
  private final Consumer<ChainEvent> events;
  private final Map<TargetId, SendQueue> queues = new HashMap<>();

  /**
   * @param owner runs things in the chain's lane
   * @param light the same for what is short
   * @param events takes an event, in the lane
   */
  ChainMessages(
      ChunkEngine engine,
      ReplicaParts parts,
      OpenWork work,
      Executor owner,
      Executor light,
      Consumer<ChainEvent> events) {
    this.engine = engine;
    this.parts = parts;
    this.work = work;
    this.owner = owner;
    this.light = light;
    this.events = events;
  }

  /** What goes to a target, in order. */
  SendQueue queue(TargetId to) {
    return queues.computeIfAbsent(to, _ -> new SendQueue(to, parts.peers(), owner));
  }

  void forward(ChainEffect.Forward forward) {
    CompletableFuture<SendQueue.Ready> ready =
        switch (forward.bytes()) {
          case ChainEffect.Bytes.Payload(long number) ->
              CompletableFuture.completedFuture(
                  new SendQueue.Ready(forward.message(), work.payload(number).retain()));
          case ChainEffect.Bytes.WholeChunk(ChunkVersion version) ->
              parts.wholeChunks().read(engine, forward.message(), version);
        };
    var _ =
        queue(forward.to())
            .put(ready, UpdateReply.class)
            .whenComplete((reply, failure) ->
                light.execute(() ->
                    events.accept(
                        failure == null
                            ? new ChainEvent.ForwardAnswered(forward.forward(), reply)
                            : new ChainEvent.ForwardFailed(
                                forward.forward(), Peers.codeOf(failure)))));
  }

  void call(ChainEffect.CallMember call) {
    var _ =
        parts
            .peers()
            .call(call.to(), call.message(), CollectReply.class)
            .whenComplete((reply, failure) ->
                owner.execute(() ->
                    events.accept(
                        failure == null
                            ? new ChainEvent.MemberAnswered(call.call(), reply)
                            : new ChainEvent.MemberCallFailed(
                                call.call(), Peers.codeOf(failure)))));
  }

  void ask(ChainEffect.AskVersion ask) {
    var _ =
        parts
            .peers()
            .call(ask.to(), ask.question(), VersionReply.class)
            .whenComplete((reply, failure) ->
                light.execute(() ->
                    events.accept(
                        failure == null
                            ? new ChainEvent.VersionAnswered(ask.ask(), reply)
                            : new ChainEvent.AskFailed(ask.ask(), Peers.codeOf(failure)))));
  }
}
