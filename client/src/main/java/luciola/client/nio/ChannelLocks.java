package luciola.client.nio;

import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import luciola.grpc.v1.Inode;
import luciola.protocol.id.InodeId;
import org.jspecify.annotations.Nullable;

/**
 * Locks of ranges of files by the channels of one file system. As {@code FileLock} says, what this
 * process has locked it cannot lock once more; others are kept out by the servers' locks, where
 * there are servers. What was written under a lock is known to all before it is given up.
 */
final class ChannelLocks {
  private final @Nullable ServerLocks servers;
  private final Files files;

  /** Held and wanted ones by their files. */
  private final Map<InodeId, List<Held>> held = new HashMap<>();

  /** No locks at all: the usual case, in which nothing is looked up. */
  private volatile boolean empty = true;

  /** What all open channels of a file do. */
  interface Files {
    /** What they have written is durable and known to all. */
    void publish(InodeId file) throws IOException;

    /** They hear what the file is like now. */
    void learn(InodeId file, Inode inode);
  }

  /**
   * @param servers null where no other process can have the files
   */
  ChannelLocks(@Nullable ServerLocks servers, Files files) {
    this.servers = servers;
    this.files = files;
  }

  private enum State {
    /** Others of this process are kept out already. */
    WANTED,
    HELD,
    GONE
  }

  /** A lock, until it is released or its channel closes. */
  private final class Held extends FileLock {
    private final LuciolaFileChannel channel;
    private final InodeId file;
    private State state = State.WANTED;
    private long session;

    Held(LuciolaFileChannel channel, InodeId file, long at, long size, boolean shared) {
      super(channel, at, size, shared);
      this.channel = channel;
      this.file = file;
    }

    ServerLocks.Range range() {
      return new ServerLocks.Range(file.value(), position(), position() + size() - 1, isShared());
    }

    private synchronized State state() {
      return state;
    }

    /** Whether it was wanted until now. */
    private synchronized boolean got(long ofSession) {
      session = ofSession;
      boolean wanted = state == State.WANTED;
      state = wanted ? State.HELD : state;
      return wanted;
    }

    private synchronized State end() {
      State before = state;
      state = State.GONE;
      return before;
    }

    private synchronized long session() {
      return session;
    }

    /** Whether it went without having been released. */
    boolean isLost() {
      return servers != null && state() == State.HELD && !servers.isHeld(session());
    }

    @Override
    public boolean isValid() {
      return channel.isOpen() && state() == State.HELD && !isLost();
    }

    @Override
    public void release() throws IOException {
      if (!channel.isOpen()) {
        throw new ClosedChannelException();
      }
      if (state() == State.HELD) {
        if (!isShared() && servers != null && !isLost()) {
          files.publish(file);
        }
        giveUp(this);
      }
    }
  }

  /**
   * Takes a lock; null if it is to be had at once or not at all, and others have one.
   *
   * @param waits for others
   * @throws OverlappingFileLockException if this process has a part of the range, or wants it
   */
  @Nullable FileLock take(
      LuciolaFileChannel channel, InodeId file, long at, long size, boolean shared, boolean waits)
      throws IOException {
    Held wanted = new Held(channel, file, at, size, shared);
    reserve(wanted);
    if (!channel.isOpen()) {
      forget(wanted);
      throw new ClosedChannelException();
    }
    ServerLocks by = servers;
    if (by == null) {
      var _ = wanted.got(0);
      return wanted;
    }
    boolean done = false;
    try {
      done = acquire(by, wanted, waits);
    } finally {
      if (!done) {
        forget(wanted);
      }
    }
    return done ? wanted : null;
  }

  private void reserve(Held wanted) {
    synchronized (held) {
      List<Held> others = held.computeIfAbsent(wanted.file, _ -> new ArrayList<>());
      if (others.stream().anyMatch(other -> other.overlaps(wanted.position(), wanted.size()))) {
        throw new OverlappingFileLockException();
      }
      others.add(wanted);
      empty = false;
      if (servers != null) {
        servers.began();
      }
    }
  }

  private boolean acquire(ServerLocks by, Held wanted, boolean waits) throws IOException {
    String path = wanted.channel.path();
    ServerLocks.Granted granted =
        waits
            ? by.lock(path, wanted.range(), () -> wanted.state() == State.WANTED)
            : by.tryLock(path, wanted.range());
    if (granted != null) {
      files.learn(wanted.file, granted.inode());
      if (wanted.got(granted.session())) {
        return true;
      }
      by.unlock(path, wanted.range());
    }
    if (wanted.state() == State.GONE) {
      throw new AsynchronousCloseException();
    }
    return false;
  }

  /** At the servers first: who of this process locks it next must not lose it by that. */
  private void giveUp(Held lock) throws IOException {
    if (servers != null) {
      servers.unlock(lock.channel.path(), lock.range());
    }
    var _ = lock.end();
    forget(lock);
  }

  /** Whether a lock on a file was lost with the client's lease. */
  boolean isLost(InodeId file) {
    return !empty && of(file).stream().anyMatch(Held::isLost);
  }

  static IOException lost(String path) {
    return new FileSystemException(
        path, null, "a lock on it ended with this client's lease; open it anew");
  }

  private List<Held> of(InodeId file) {
    synchronized (held) {
      return List.copyOf(held.getOrDefault(file, List.of()));
    }
  }

  /** A channel has closed, and what it wrote is durable: its locks are gone. */
  void releaseAll(LuciolaFileChannel channel) throws IOException {
    if (empty) {
      return;
    }
    List<Held> its;
    synchronized (held) {
      its =
          held.values().stream()
              .flatMap(List::stream)
              .filter(each -> each.channel.equals(channel))
              .toList();
    }
    IOException failure = null;
    for (Held each : its) {
      try {
        release(each);
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void release(Held lock) throws IOException {
    State before = lock.end();
    if (servers != null && before == State.WANTED) {
      servers.wake(lock.range());
    } else if (before == State.HELD) {
      try {
        if (servers != null) {
          servers.unlock(lock.channel.path(), lock.range());
        }
      } finally {
        forget(lock);
      }
    }
  }

  private void forget(Held lock) {
    synchronized (held) {
      List<Held> others = held.get(lock.file);
      if (others != null && others.remove(lock)) {
        if (others.isEmpty()) {
          held.remove(lock.file);
        }
        if (servers != null) {
          servers.ended();
        }
      }
      empty = held.isEmpty();
    }
  }
}
