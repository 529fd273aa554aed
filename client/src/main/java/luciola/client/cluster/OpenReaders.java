package luciola.client.cluster;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.Open;
import luciola.protocol.error.CallerAction;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the files that have been open for reading for a while: a session for each inode, so that it
 * stays whoever removes it. Who opens and closes at once costs nothing but two steps in memory: the
 * meta-servers keep a removed file for longer than it takes until its readers have sessions.
 */
final class OpenReaders implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenReaders.class);
  private static final long AGE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Duration PERIOD = Duration.ofMillis(500);
  private static final int KEPT_MAX = 4096;
  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  private final Names names;
  private final SessionKeeper sessions;

  /** Opened, and not looked at yet; in the order of time. */
  private final ConcurrentLinkedQueue<Opened> young = new ConcurrentLinkedQueue<>();

  /** By inode; of the keeping thread alone, and after its end of who closes. */
  private final Map<Long, Kept> kept = new HashMap<>();

  private final Thread keeping;

  /** A reader, for as long as anybody else knows it. */
  private record Opened(long inode, long openedNanos, WeakReference<ClusterReadableFile> reader) {
    boolean isOpen() {
      ClusterReadableFile file = reader.get();
      return file != null && !file.isClosed();
    }
  }

  /** The readers of one inode, and the session that they share; 0: it was refused. */
  private static final class Kept {
    final List<Opened> readers = new ArrayList<>();
    final long session;

    Kept(long session) {
      this.session = session;
    }
  }

  OpenReaders(Names names, SessionKeeper sessions) {
    this.names = names;
    this.sessions = sessions;
    this.keeping = Thread.ofVirtual().name("readers").start(this::keepAlways);
  }

  /** A file was opened for reading. */
  void opened(ClusterReadableFile file) {
    young.add(new Opened(file.inode().value(), System.nanoTime(), new WeakReference<>(file)));
  }

  private void keepAlways() {
    try {
      while (true) {
        Thread.sleep(PERIOD);
        step();
      }
    } catch (InterruptedException _) {
      LOG.debug("readers are kept no more");
    }
  }

  private void step() throws InterruptedException {
    try {
      release();
      keep();
    } catch (LuciolaException e) {
      LOG.debug("files that are read are not kept yet: error={}", e.getMessage());
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  /** Ends the sessions of files that nobody reads any more. */
  private void release() {
    for (Iterator<Map.Entry<Long, Kept>> all = kept.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Long, Kept> each = all.next();
      each.getValue().readers.removeIf(reader -> !reader.isOpen());
      if (each.getValue().readers.isEmpty()) {
        all.remove();
        end(each.getKey(), each.getValue().session);
      }
    }
  }

  private void end(long inode, long session) {
    if (session == 0) {
      return;
    }
    sessions.ended();
    try {
      var _ =
          names.call(
              "end reading",
              "inode=" + inode,
              NamespaceRequest.newBuilder()
                  .setClose(Close.newBuilder().setInode(inode).setSession(session)));
    } catch (LuciolaException e) {
      // It ended with this client's lease, or will.
      LOG.debug("session of readers: inode={} error={}", inode, e.getMessage());
    }
  }

  /** Takes sessions for files that have been open for long enough. */
  private void keep() {
    long now = System.nanoTime();
    for (Opened next = young.peek(); next != null; next = young.peek()) {
      if (next.isOpen()) {
        if (now - next.openedNanos() < AGE_NANOS) {
          return;
        }
        keep(next);
      }
      young.remove();
    }
  }

  private void keep(Opened reader) {
    Kept known = kept.get(reader.inode());
    if (known == null && kept.size() >= KEPT_MAX) {
      return;
    }
    if (known == null) {
      known = new Kept(session(reader.inode()));
      kept.put(reader.inode(), known);
    }
    known.readers.add(reader);
  }

  /** A session, or 0 if the file is gone or not this user's to read any more. */
  private long session(long inode) {
    try {
      long session =
          names
              .call(
                  "keep",
                  "inode=" + inode,
                  NamespaceRequest.newBuilder()
                      .setOpen(
                          Open.newBuilder().setAt(At.newBuilder().setInode(inode)).setKeep(true)))
              .getOpen()
              .getSession();
      sessions.began();
      return session;
    } catch (LuciolaException e) {
      if (e.code().action() == CallerAction.GIVE_UP) {
        LOG.debug("not kept: inode={} error={}", inode, e.getMessage());
        return 0;
      }
      throw e;
    }
  }

  /** Ends all sessions, if the meta-servers answer soon; else they end with the client's lease. */
  @Override
  public void close() {
    keeping.interrupt();
    try (ExecutorService ending = Executors.newVirtualThreadPerTaskExecutor()) {
      if (keeping.join(CLOSE_MAX)) {
        kept.forEach((inode, each) -> ending.execute(() -> end(inode, each.session)));
      }
      ending.shutdown();
      if (!ending.awaitTermination(CLOSE_MAX.toNanos(), TimeUnit.NANOSECONDS)) {
        var _ = ending.shutdownNow();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
