package luciola.client.cluster;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import luciola.protocol.connection.PayloadBuffer;
import luciola.protocol.connection.PayloadPool;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * Memory for write-back, shared by all files of a client. Who finds none sends what its own file
 * and idle files have gathered, then waits: so nobody waits for bytes that nobody sends.
 */
final class WriteMemory implements AutoCloseable {
  private static final long LOOK_AGAIN_MILLIS = 100;

  private final PayloadPool pool;
  private final long waitNanos;
  private final Set<ClusterWritableFile> files = ConcurrentHashMap.newKeySet();

  WriteMemory(long capacityBytes, long waitNanos) {
    long whole = Math.max(1, capacityBytes / PayloadPool.BLOCK_BYTES_MAX);
    this.pool = new PayloadPool(whole * PayloadPool.BLOCK_BYTES_MAX);
    this.waitNanos = waitNanos;
  }

  void opened(ClusterWritableFile file) {
    files.add(file);
  }

  void closed(ClusterWritableFile file) {
    files.remove(file);
  }

  /** Files open for writing. */
  Set<ClusterWritableFile> files() {
    return Set.copyOf(files);
  }

  /** A buffer for {@code asking}, whose lock the caller holds. */
  PayloadBuffer acquire(ClusterWritableFile asking, int bytes) {
    long deadline = System.nanoTime() + waitNanos;
    while (true) {
      Optional<PayloadBuffer> free = pool.tryAcquire(bytes);
      if (free.isPresent()) {
        return free.get();
      }
      asking.flushGathered();
      files.forEach(ClusterWritableFile::flushIfIdle);
      CountDownLatch freed = new CountDownLatch(1);
      pool.whenFreed(freed::countDown);
      free = pool.tryAcquire(bytes);
      if (free.isPresent()) {
        return free.get();
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new LuciolaException(
            ErrorCode.OVERLOADED,
            "write: path="
                + asking.path()
                + " no write-back memory: capacityBytes="
                + pool.capacityBytes()
                + " waitedNanos="
                + waitNanos);
      }
      await(freed, asking.path());
    }
  }

  private static void await(CountDownLatch freed, String path) {
    try {
      var _ = freed.await(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LuciolaException(ErrorCode.CANCELLED, "write: path=" + path + " interrupted", e);
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
