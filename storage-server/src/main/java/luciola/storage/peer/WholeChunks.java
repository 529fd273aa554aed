package luciola.storage.peer;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.ForwardRequest;
import luciola.protocol.id.ChunkVersion;
import luciola.storage.engine.BadBlockException;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.HeldVersion;
import luciola.storage.index.ChunkKey;
import org.jspecify.annotations.Nullable;

/** Reads whole chunks into memory to send them to another replica. */
public final class WholeChunks {
  private final Executor readers;
  private final PayloadPool memory;

  public WholeChunks(Executor readers, PayloadPool memory) {
    this.readers = readers;
    this.memory = memory;
  }

  /**
   * The message with its checksums, and the chunk's bytes in that version, verified. The version is
   * held at once; a bad block is repaired if it can be. Fails with CHUNK_NOT_FOUND or CHUNK_BUSY if
   * that version is not there, CHECKSUM_MISMATCH, DISK_ERROR, OVERLOADED.
   */
  public CompletableFuture<SendQueue.Ready> read(
      ChunkEngine engine, ForwardRequest message, ChunkVersion version) {
    if (message.update().payloadBytes() == 0) {
      return CompletableFuture.completedFuture(new SendQueue.Ready(message, PayloadBuffer.empty()));
    }
    var result = new CompletableFuture<SendQueue.Ready>();
    try {
      HeldVersion held = engine.hold(key(message), version);
      readers.execute(() -> read(engine, message, held, result));
    } catch (LuciolaException e) {
      result.completeExceptionally(e);
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(
          new LuciolaException(ErrorCode.SHUTTING_DOWN, "read of a whole chunk", e));
    }
    return result;
  }

  private static ChunkKey key(ForwardRequest message) {
    return new ChunkKey(message.chain(), message.chunk());
  }

  private void read(
      ChunkEngine engine,
      ForwardRequest message,
      HeldVersion held,
      CompletableFuture<SendQueue.Ready> result) {
    try (held) {
      result.complete(readOnce(engine, message, held));
    } catch (BadBlockException e) {
      ChunkVersion version = held.version().version();
      var _ =
          engine
              .check(key(message))
              .whenComplete((health, _) -> repaired(engine, message, version, result, e, health));
    } catch (RuntimeException e) {
      result.completeExceptionally(e);
    }
  }

  /** On the thread of the repair: reads again on a reading thread, if that has a chance. */
  private void repaired(
      ChunkEngine engine,
      ForwardRequest message,
      ChunkVersion version,
      CompletableFuture<SendQueue.Ready> result,
      BadBlockException first,
      ChunkEngine.@Nullable Health health) {
    if (health == null || health == ChunkEngine.Health.BAD) {
      result.completeExceptionally(first);
      return;
    }
    try {
      readers.execute(() -> {
        try (HeldVersion held = engine.hold(key(message), version)) {
          result.complete(readOnce(engine, message, held));
        } catch (RuntimeException e) {
          result.completeExceptionally(e);
        }
      });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
  }

  private SendQueue.Ready readOnce(ChunkEngine engine, ForwardRequest message, HeldVersion held) {
    int bytes = held.version().chunkBytes();
    if (bytes != message.update().payloadBytes()) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "another length than announced: chunk=" + key(message));
    }
    PayloadBuffer buffer =
        memory
            .tryAcquire(bytes)
            .orElseThrow(() ->
                new LuciolaException(
                    ErrorCode.OVERLOADED, "no memory to send a chunk: bytes=" + bytes));
    try {
      engine.readWhole(held, buffer.segment());
      return new SendQueue.Ready(withChecksums(message, held.version().granules()), buffer);
    } catch (RuntimeException e) {
      buffer.release();
      throw e;
    }
  }

  private static ForwardRequest withChecksums(ForwardRequest message, int[] checksums) {
    return new ForwardRequest(
        message.chain(),
        message.chainVersion(),
        message.from(),
        message.to(),
        message.chunk(),
        message.version(),
        message.committed(),
        message.tag(),
        message.update(),
        message.copy(),
        message.committedChainVersion(),
        message.collection(),
        checksums);
  }
}
