package luciola.meta.server;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import luciola.grpc.v1.FileLock;
import luciola.grpc.v1.LockResult;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.lock.LockWaits;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;

/**
 * Those who wait for locks at the leader. A wait is answered when nothing is in its way any more,
 * and after some seconds in any case: its client then asks again, wherever the leader is. Nothing
 * is granted here: who was answered sets its lock through the log, and may find one before it that
 * did not wait.
 */
final class LockDesk {
  private static final int WAITS_MAX = 8_192;
  private static final int CLIENT_WAITS_MAX = 256;
  private static final long WAIT_SECONDS = 5;

  private final RocksStore store;
  private final ReentrantLock lock = new ReentrantLock();
  private final LockWaits waits = new LockWaits(WAITS_MAX, CLIENT_WAITS_MAX);
  private final Map<Long, CompletableFuture<NamespaceReply>> answers = new HashMap<>();

  LockDesk(RocksStore store) {
    this.store = store;
  }

  /** Waits; what was decided before the call is applied here. */
  CompletableFuture<NamespaceReply> await(NamespaceRequest request) {
    FileLock wanted = request.getAwaitLock().getLock();
    var answer = new CompletableFuture<NamespaceReply>();
    lock.lock();
    try {
      if (request.getAwaitLock().getWanted()) {
        return watch(request, answer);
      }
      long wait = waits.begin(request.getClientId(), wanted, System.nanoTime());
      if (wait == 0) {
        return CompletableFuture.completedFuture(
            reply(request, LockResult.newBuilder().setCrowded(true)));
      }
      answers.put(wait, answer);
      // It waits already: a lock that is given up from now on is not missed.
      Optional<NamespaceReply> over;
      try {
        over =
            store.read(view -> {
              NamespaceReply now = Namespace.read(request, view);
              if (now.getCode() != 0 || now.getLock().getGranted()) {
                return Optional.of(now);
              }
              waits.requireEnd(wait, Tree.reading(view));
              return Optional.empty();
            });
      } catch (RuntimeException refused) {
        end(wait);
        return CompletableFuture.failedFuture(refused);
      }
      if (over.isPresent()) {
        end(wait);
        return CompletableFuture.completedFuture(over.get());
      }
      answer(waits.disturbed(wait));
      return bounded(request, wait, answer);
    } finally {
      lock.unlock();
    }
  }

  /** Answers, in any case after a while, and ends the wait or watch then. */
  private CompletableFuture<NamespaceReply> bounded(
      NamespaceRequest request, long wait, CompletableFuture<NamespaceReply> answer) {
    NamespaceReply late = reply(request, LockResult.newBuilder());
    return answer
        .completeOnTimeout(late, WAIT_SECONDS, TimeUnit.SECONDS)
        .thenApply(outcome -> {
          end(wait, outcome.equals(late));
          return outcome.toBuilder().setSequence(request.getSequence()).build();
        });
  }

  private CompletableFuture<NamespaceReply> watch(
      NamespaceRequest request, CompletableFuture<NamespaceReply> answer) {
    long watch = waits.watch(request.getClientId(), request.getAwaitLock().getLock());
    if (watch == 0) {
      return CompletableFuture.completedFuture(
          reply(request, LockResult.newBuilder().setCrowded(true)));
    }
    answers.put(watch, answer);
    if (waits.isWanted(watch)) {
      answer(List.of(watch));
    }
    return bounded(request, watch, answer);
  }

  private static NamespaceReply reply(NamespaceRequest request, LockResult.Builder result) {
    return NamespaceReply.newBuilder().setSequence(request.getSequence()).setLock(result).build();
  }

  private void end(long wait) {
    end(wait, false);
  }

  private void end(long wait, boolean late) {
    lock.lock();
    try {
      if (late) {
        waits.pause(wait, System.nanoTime());
      } else {
        waits.end(wait);
      }
      answers.remove(wait);
    } finally {
      lock.unlock();
    }
  }

  /** A change was applied, or may have been. */
  void changed(NamespaceRequest request) {
    switch (request.getOperationCase()) {
      case SET_LOCK -> freed(request.getSetLock().getLock().getInode());
      case RELEASE_LOCKS -> freed(request.getReleaseLocks().getInode());
      default -> {}
    }
  }

  private void freed(long inode) {
    lock.lock();
    try {
      if (!waits.isEmpty()) {
        answer(store.read(view -> waits.freed(inode, Tree.reading(view))));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Locks of clients that are gone were taken away. */
  void freed() {
    lock.lock();
    try {
      if (!waits.isEmpty()) {
        answer(store.read(view -> waits.freed(Tree.reading(view))));
      }
    } finally {
      lock.unlock();
    }
  }

  private void answer(List<Long> over) {
    for (long wait : over) {
      CompletableFuture<NamespaceReply> answer = answers.get(wait);
      if (answer != null) {
        answer.complete(
            NamespaceReply.newBuilder().setLock(LockResult.newBuilder().setGranted(true)).build());
      }
    }
  }

  /** One wait of a client is over; if it was told that the lock is free, others are told now. */
  void cancel(NamespaceRequest request) {
    endWait(request);
    freed(request.getCancelAwait().getLock().getInode());
  }

  private void endWait(NamespaceRequest request) {
    lock.lock();
    try {
      long wait = waits.find(request.getClientId(), request.getCancelAwait().getLock());
      CompletableFuture<NamespaceReply> answer = answers.get(wait);
      if (answer != null) {
        answer.complete(NamespaceReply.newBuilder().setLock(LockResult.newBuilder()).build());
      }
    } finally {
      lock.unlock();
    }
  }
}
