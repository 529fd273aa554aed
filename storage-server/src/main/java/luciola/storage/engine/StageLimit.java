package luciola.storage.engine;

import java.util.concurrent.Semaphore;

/** How many updates wait for the commit loop at most; who has one more waits. */
final class StageLimit {
  private final Semaphore free;
  private final CommitLoop loop;
  private final boolean oneThread;

  StageLimit(int waitingMax, CommitLoop loop, boolean oneThread) {
    this.free = new Semaphore(waitingMax);
    this.loop = loop;
    this.oneThread = oneThread;
  }

  void enter() {
    if (oneThread && !free.tryAcquire()) {
      loop.commitAll();
      free.acquireUninterruptibly();
    } else if (!oneThread) {
      free.acquireUninterruptibly();
    }
  }

  void leave() {
    free.release();
  }
}
