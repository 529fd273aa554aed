package luciola.storage.replica;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The work of one replica: one piece after the other, in the order in which it was brought. It runs
 * on the chain's owner thread; but a light piece, when nothing else is under way, runs at once on
 * the thread that brings it. A write crosses every member of its chain twice, and each change of
 * threads costs tens of microseconds when the other one sleeps.
 */
final class ChainLane {
  /** Pieces after which the owner thread turns to its other chains. */
  private static final int TURN_MAX = 64;

  private final Executor owner;
  private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();

  /** Pieces that wait or run; whoever makes it 1 runs them or has them run. */
  private final AtomicInteger open = new AtomicInteger();

  /**
   * @param owner runs what no other thread does; refuses everything once it is shut down
   */
  ChainLane(Executor owner) {
    this.owner = owner;
  }

  /**
   * Runs this later on the owner thread. It must not throw.
   *
   * @throws RejectedExecutionException once the owner is shut down; it will not run then
   */
  void execute(Runnable piece) {
    // Counted before it can be seen: who finds nothing counted knows that nothing waits.
    boolean first = open.getAndIncrement() == 0;
    waiting.add(piece);
    if (first) {
      turn();
    }
  }

  /**
   * Runs this now on the calling thread if nothing waits or runs, else later on the owner thread.
   * For pieces that are short and do not block. It must not throw.
   *
   * @throws RejectedExecutionException once the owner is shut down
   */
  void executeHere(Runnable piece) {
    if (!open.compareAndSet(0, 1)) {
      execute(piece);
      return;
    }
    try {
      piece.run();
    } finally {
      ended(1);
    }
  }

  private void ended(int pieces) {
    if (open.addAndGet(-pieces) > 0) {
      try {
        turn();
      } catch (RejectedExecutionException _) {
        // What waits is dropped at the stop; that is nothing to those that ran.
      }
    }
  }

  private void turn() {
    try {
      owner.execute(this::drain);
    } catch (RejectedExecutionException e) {
      waiting.clear();
      open.set(0);
      throw e;
    }
  }

  private void drain() {
    int done = 0;
    try {
      for (Runnable piece = waiting.poll();
          piece != null;
          piece = done < TURN_MAX ? waiting.poll() : null) {
        done++;
        piece.run();
      }
    } finally {
      ended(done);
    }
  }
}
