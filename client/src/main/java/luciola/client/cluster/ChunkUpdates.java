package luciola.client.cluster;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.frame.UpdateReply;
import luciola.protocol.frame.UpdateRequest;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ClientId;
import luciola.protocol.router.UpdateChannels;
import org.jspecify.annotations.Nullable;

/** Sends updates of chunks, as many at a time as there are channels; more wait in order. */
final class ChunkUpdates {
  private final DataPlane plane;
  private final UpdateChannels channels;
  private final long waitNanos;
  private final ArrayDeque<PendingUpdate> waiting = new ArrayDeque<>();

  /**
   * All channels free.
   *
   * @param waitNanos how long an update waits for a channel
   */
  ChunkUpdates(DataPlane plane, ClientId client, int updatesMax, long waitNanos) {
    this.plane = plane;
    this.channels = new UpdateChannels(client, updatesMax);
    this.waitNanos = waitNanos;
  }

  /** A write of native bytes that stay as they are until the outcome. */
  PendingUpdate write(
      ChainId chain, ChunkId chunk, int offset, int chunkBytes, MemorySegment bytes) {
    return new PendingUpdate(
        chain,
        chunk,
        new Update.Write(offset, Math.toIntExact(bytes.byteSize()), chunkBytes),
        List.of(bytes),
        Granules.checksums(offset, bytes));
  }

  /** An update without payload, sent once until its outcome or the deadline. */
  CompletableFuture<UpdateReply> send(ChainId chain, ChunkId chunk, Update update) {
    PendingUpdate pending = new PendingUpdate(chain, chunk, update, List.of(), new int[0]);
    return pending.send().whenComplete((_, _) -> pending.abandon());
  }

  private void start(PendingUpdate update) {
    UpdateTag tag;
    synchronized (this) {
      tag = update.tag;
      if (tag == null && waiting.isEmpty()) {
        tag = channels.take().orElse(null);
        update.tag = tag;
      }
    }
    if (tag == null) {
      await(update);
    } else {
      update.sendWith(tag);
    }
  }

  /** Waits for a channel: those of updates with an unknown outcome may stay taken for long. */
  private void await(PendingUpdate update) {
    CompletableFuture<UpdateReply> outcome = update.outcome;
    synchronized (this) {
      waiting.add(update);
    }
    startNext();
    var timer =
        new CompletableFuture<Boolean>().completeOnTimeout(true, waitNanos, TimeUnit.NANOSECONDS);
    var _ = outcome.whenComplete((_, _) -> timer.complete(false));
    var _ =
        timer.thenAccept(late -> {
          boolean waited;
          synchronized (this) {
            waited = late && waiting.remove(update);
          }
          if (waited) {
            outcome.completeExceptionally(
                new LuciolaException(
                    ErrorCode.OVERLOADED,
                    "write: chunk=" + update.chunk + " no channel: waitedNanos=" + waitNanos));
          }
        });
  }

  /** Starts the first that waits, if there is a channel. */
  private void startNext() {
    PendingUpdate next;
    UpdateTag tag;
    synchronized (this) {
      next = waiting.peek();
      tag = next == null ? null : channels.take().orElse(null);
      if (next == null || tag == null) {
        return;
      }
      waiting.remove();
      next.tag = tag;
    }
    next.sendWith(tag);
  }

  private void settled(PendingUpdate update) {
    synchronized (this) {
      UpdateTag tag = update.tag;
      if (tag == null) {
        return;
      }
      update.tag = null;
      channels.settled(tag);
    }
    startNext();
  }

  /**
   * One update. Its tag stays the same, however often it is sent, until it has succeeded, was
   * refused, or is abandoned: so it is applied once at most.
   */
  final class PendingUpdate {
    private final ChainId chain;
    private final ChunkId chunk;
    private final Update update;
    private final List<MemorySegment> payload;
    private final int[] checksums;
    private CompletableFuture<UpdateReply> outcome = new CompletableFuture<>();
    private @Nullable UpdateTag tag;

    private PendingUpdate(
        ChainId chain, ChunkId chunk, Update update, List<MemorySegment> payload, int[] checksums) {
      this.chain = chain;
      this.chunk = chunk;
      this.update = update;
      this.payload = payload;
      this.checksums = checksums;
    }

    /** Sends it, for the first time or again after it failed. */
    CompletableFuture<UpdateReply> send() {
      CompletableFuture<UpdateReply> fresh = new CompletableFuture<>();
      outcome = fresh;
      start(this);
      return fresh;
    }

    private void sendWith(UpdateTag by) {
      CompletableFuture<UpdateReply> result = outcome;
      var _ =
          plane
              .toHead(
                  "write: chunk=" + chunk,
                  chain,
                  to ->
                      new UpdateRequest(
                          to.chain(), to.chainVersion(), to.target(), chunk, by, update, checksums),
                  UpdateReply.class,
                  payload)
              .whenComplete((reply, error) -> {
                if (error == null) {
                  settled(this);
                  result.complete(reply);
                } else {
                  result.completeExceptionally(error);
                }
              });
    }

    /** It will not be sent again; not to be called while it is under way. */
    void abandon() {
      settled(this);
    }
  }
}
