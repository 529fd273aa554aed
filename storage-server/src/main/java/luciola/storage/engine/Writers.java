package luciola.storage.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Consumer;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.ChunkKey;

/**
 * Lanes that write blocks. All work of one chunk is done by one of them, in order. How much waits
 * is bounded by who asks: by the memory that payloads are received into, and by the chains' limits.
 */
final class Writers implements AutoCloseable {
  private final List<EngineThreads.Lane> lanes = new ArrayList<>();
  private final List<VersionWriter> writers = new ArrayList<>();
  private final List<PayloadBuffer> buffers = new ArrayList<>();

  /** Of each lane: what it does now and what waits for it. */
  private final AtomicIntegerArray under;

  Writers(String name, EngineParts parts, BlockStore blocks) {
    EngineConfig config = parts.config();
    under = new AtomicIntegerArray(config.writeThreads());
    for (int i = 0; i < config.writeThreads(); i++) {
      PayloadBuffer buffer = parts.scratch().tryAcquire(VersionWriter.PIECE_BYTES).orElseThrow();
      buffers.add(buffer);
      writers.add(new VersionWriter(blocks, buffer.segment(), config));
      lanes.add(parts.threads().lane(name + "-write-" + i));
    }
  }

  /**
   * Runs work of a chunk after the work that it has already.
   *
   * @throws LuciolaException SHUTTING_DOWN
   */
  void execute(ChunkKey chunk, Consumer<VersionWriter> work) {
    int at = lane(chunk);
    under.incrementAndGet(at);
    try {
      lanes
          .get(at)
          .execute(() -> {
            try {
              work.accept(writers.get(at));
            } finally {
              under.decrementAndGet(at);
            }
          });
    } catch (RejectedExecutionException e) {
      under.decrementAndGet(at);
      throw new LuciolaException(ErrorCode.SHUTTING_DOWN, "write: chunk=" + chunk, e);
    }
  }

  private int lane(ChunkKey chunk) {
    return Math.floorMod((chunk.hashCode() * 0x85EBCA6B) >>> 8, lanes.size());
  }

  /** On a chunk's lane: whether nothing else waits for it. */
  boolean isAlone(ChunkKey chunk) {
    return under.get(lane(chunk)) == 1;
  }

  /** Does what waits, then stops. */
  @Override
  public void close() {
    lanes.forEach(EngineThreads.Lane::close);
    buffers.forEach(PayloadBuffer::release);
  }
}
