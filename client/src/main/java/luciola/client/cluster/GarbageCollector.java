package luciola.client.cluster;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import luciola.grpc.v1.DropGarbage;
import luciola.grpc.v1.GarbageResult;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.TakeGarbage;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the space of files that have neither a name nor a session: takes some from the
 * meta-server, removes their chunks from all their chains, then drops the record. A crash between
 * repeats the removal, which does no harm. Of several collectors one at a time works: while it has
 * taken some and is heard of, the meta-server tells the others to come back later.
 */
public final class GarbageCollector implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GarbageCollector.class);

  private static final int TOLD_MAX = 16;

  /** Files whose chunks are removed at the same time. */
  private static final int FILES_AT_ONCE = 32;

  private final ClusterFileSystem fileSystem;
  private final Duration age;

  /** Times that replies told lately; guarded by itself, as is {@link #untilNanos}. */
  private final ArrayDeque<Told> told = new ArrayDeque<>();

  private long untilNanos;
  private @Nullable Thread running;

  /** A time of the namespace, and when it was told here: no clock of another machine counts. */
  private record Told(long timeNanos, long atNanos) {}

  /**
   * A collector that begins when it is asked.
   *
   * @param age how long a file stays after its last name went, at least, counted by this collector;
   *     who opened it for reading before has a session by then
   */
  public GarbageCollector(ClusterFileSystem fileSystem, Duration age) {
    this.fileSystem = fileSystem;
    this.age = age;
  }

  /** Collects every so often in the background until closed; blocks nobody. */
  public static GarbageCollector start(
      ClusterFileSystem fileSystem, Duration period, Duration age, int filesMax) {
    GarbageCollector collector = new GarbageCollector(fileSystem, age);
    collector.running =
        Thread.ofVirtual()
            .name("garbage-collector")
            .start(() -> collector.collectAlways(period, filesMax));
    return collector;
  }

  private void collectAlways(Duration period, int filesMax) {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        if (!round(filesMax).more()) {
          Thread.sleep(period);
        }
      } catch (LuciolaException e) {
        LOG.warn("garbage not collected: error={}", e.getMessage());
        try {
          Thread.sleep(period);
        } catch (InterruptedException interrupted) {
          return;
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /**
   * Collects once. Blocks.
   *
   * @param filesMax files to take
   * @return files whose chunks are gone now
   */
  public int collect(int filesMax) {
    return round(filesMax).files();
  }

  /** What was collected at once, and whether there may be more already. */
  private record Round(int files, boolean more) {}

  private Round round(int filesMax) {
    GarbageResult taken =
        fileSystem
            .names()
            .call("take garbage", "*", NamespaceRequest.newBuilder().setTakeGarbage(take(filesMax)))
            .getGarbage();
    if (taken.getOthersTurn()) {
      return new Round(0, false);
    }
    learn(taken.getNowNanos());
    if (taken.getInodesCount() == 0) {
      return new Round(0, taken.getMore());
    }
    Cuts cuts = cutHeard(taken.getInodesList());
    // Also if none is done: it is another collector's turn then.
    fileSystem
        .names()
        .call(
            "drop garbage",
            "*",
            NamespaceRequest.newBuilder()
                .setDropGarbage(
                    DropGarbage.newBuilder()
                        .addAllInodes(cuts.done())
                        .setUntilNanos(newest(taken.getInodesList()))));
    LOG.debug("garbage collected: files={} of={}", cuts.done().size(), taken.getInodesCount());
    LuciolaException fault = cuts.fault();
    if (fault != null) {
      throw fault;
    }
    return new Round(cuts.done().size(), taken.getMore());
  }

  /** 0 if there is one of a time at which this was not kept. */
  private static long newest(List<Inode> inodes) {
    boolean all = inodes.stream().allMatch(inode -> inode.getRemovedNanos() != 0);
    return all ? inodes.stream().mapToLong(Inode::getRemovedNanos).max().orElse(0) : 0;
  }

  /** Numbers of files whose chunks are gone, and why others' are not. */
  private record Cuts(Collection<Long> done, @Nullable LuciolaException fault) {}

  /** While it works the meta-server hears of it, as of who has files open. */
  private Cuts cutHeard(List<Inode> inodes) {
    fileSystem.sessions().began();
    try {
      return cutAll(inodes);
    } finally {
      fileSystem.sessions().ended();
    }
  }

  /** Some files at a time; one whose chains do not answer does not keep the others. */
  private Cuts cutAll(List<Inode> inodes) {
    var done = new ConcurrentLinkedQueue<Long>();
    var fault = new AtomicReference<@Nullable LuciolaException>();
    var left = new ConcurrentLinkedQueue<>(inodes);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < Math.min(FILES_AT_ONCE, inodes.size()); i++) {
        threads.execute(() -> {
          for (Inode inode = left.poll(); inode != null; inode = left.poll()) {
            try {
              if (inode.getType() == InodeType.INODE_TYPE_FILE && inode.hasLayout()) {
                fileSystem.cutter().cut(fileSystem.chunks(inode), 0);
              }
              done.add(inode.getId());
            } catch (RuntimeException e) {
              fault.compareAndSet(
                  null,
                  e instanceof LuciolaException known
                      ? known
                      : new LuciolaException(
                          ErrorCode.INTERNAL, "remove chunks: inode=" + inode.getId(), e));
            }
          }
        });
      }
    }
    return new Cuts(done, fault.get());
  }

  /** What was removed before a reply that came long enough ago. */
  private TakeGarbage take(int filesMax) {
    TakeGarbage.Builder take = TakeGarbage.newBuilder().setLimit(filesMax);
    if (age.isZero()) {
      return take.build();
    }
    synchronized (told) {
      long now = System.nanoTime();
      while (!told.isEmpty() && now - told.getFirst().atNanos() >= age.toNanos()) {
        untilNanos = told.removeFirst().timeNanos();
      }
      return take.setUntilNanos(untilNanos).build();
    }
  }

  private void learn(long timeNanos) {
    synchronized (told) {
      long now = System.nanoTime();
      if (told.isEmpty() || now - told.getLast().atNanos() >= age.toNanos() / TOLD_MAX) {
        told.add(new Told(timeNanos, now));
      }
    }
  }

  @Override
  public void close() {
    Thread thread = running;
    if (thread != null) {
      thread.interrupt();
    }
  }
}
