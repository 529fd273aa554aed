package luciola.client.mount;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import luciola.grpc.v1.Inode;

/** Whether the pages that the kernel keeps of files are still right. */
final class PageCache implements AutoCloseable {
  /** When each file was last changed as of when its pages were looked at last. */
  private final ConcurrentHashMap<Long, Long> rightAt = new ConcurrentHashMap<>();

  private final Invalidation invalidation;

  /**
   * A thread of its own: the kernel waits for reads and writes of the pages under way, which other
   * threads must be free to answer.
   */
  private final ExecutorService invalidating =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("mount-invalidate").daemon().factory());

  /** Makes void what the kernel has of a node. */
  interface Invalidation {
    void of(long node);
  }

  PageCache(Invalidation invalidation) {
    this.invalidation = invalidation;
  }

  /** Whether pages are right as of an inode just told of; from now on they are. */
  boolean isRight(Inode inode) {
    Long before = rightAt.put(inode.getId(), inode.getChangedNanos());
    return before != null && before == inode.getChangedNanos();
  }

  /** Returns once no page is older than an inode just told of. */
  void refresh(Inode inode) {
    if (!isRight(inode)) {
      invalidate(inode.getId());
    }
  }

  /** Returns once the kernel has no pages of a node. */
  void invalidate(long node) {
    CompletableFuture.runAsync(() -> invalidation.of(node), invalidating).join();
  }

  /** The kernel has forgotten a node, and its pages. */
  void forget(long node) {
    rightAt.remove(node);
  }

  @Override
  public void close() {
    invalidating.shutdown();
  }
}
