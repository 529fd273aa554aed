package luciola.storage.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkId;
import luciola.storage.disk.BlockStore;

/** Threads that write blocks. All work of one chunk is done by one of them, in order. */
final class Writers implements AutoCloseable {
  private final List<ExecutorService> threads = new ArrayList<>();
  private final List<VersionWriter> writers = new ArrayList<>();
  private final List<PayloadBuffer> buffers = new ArrayList<>();

  Writers(String name, EngineConfig config, BlockStore blocks, PayloadPool scratch) {
    for (int i = 0; i < config.writeThreads(); i++) {
      PayloadBuffer buffer = scratch.tryAcquire(VersionWriter.PIECE_BYTES).orElseThrow();
      buffers.add(buffer);
      writers.add(new VersionWriter(blocks, buffer.segment()));
      threads.add(
          new ThreadPoolExecutor(
              1,
              1,
              0,
              TimeUnit.SECONDS,
              new LinkedBlockingQueue<>(config.waitingMax()),
              Thread.ofPlatform().name(name + "-write-" + i).daemon().factory()));
    }
  }

  /**
   * Runs work of a chunk after the work that it has already.
   *
   * @throws LuciolaException OVERLOADED if too much waits, or SHUTTING_DOWN
   */
  void execute(ChunkId chunk, Consumer<VersionWriter> work) {
    int at = Math.floorMod((chunk.hashCode() * 0x85EBCA6B) >>> 8, threads.size());
    try {
      threads.get(at).execute(() -> work.accept(writers.get(at)));
    } catch (RejectedExecutionException e) {
      boolean closing = threads.get(at).isShutdown();
      throw new LuciolaException(
          closing ? ErrorCode.SHUTTING_DOWN : ErrorCode.OVERLOADED, "write: chunk=" + chunk, e);
    }
  }

  /** Does what waits, then stops. */
  @Override
  public void close() {
    threads.forEach(ExecutorService::close);
    buffers.forEach(PayloadBuffer::release);
  }
}
