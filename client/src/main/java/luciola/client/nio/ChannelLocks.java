package luciola.client.nio;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import luciola.protocol.id.InodeId;

/**
 * Locks of ranges of files, among the channels of one file system: as {@code FileLock} says, what
 * this process has locked it cannot lock once more. Other processes do not see them.
 */
final class ChannelLocks {
  private final Map<InodeId, List<Held>> held = new HashMap<>();

  /** A lock, until it is released or its channel closes. */
  private final class Held extends FileLock {
    private final InodeId file;
    private boolean valid = true;

    Held(FileChannel channel, InodeId file, long at, long size, boolean shared) {
      super(channel, at, size, shared);
      this.file = file;
    }

    @Override
    public boolean isValid() {
      synchronized (held) {
        return valid && acquiredBy().isOpen();
      }
    }

    @Override
    public void release() throws IOException {
      if (!acquiredBy().isOpen()) {
        throw new ClosedChannelException();
      }
      synchronized (held) {
        if (valid) {
          forget(this);
        }
      }
    }
  }

  /**
   * Takes the lock.
   *
   * @throws OverlappingFileLockException if this process has a part of the range already
   */
  FileLock take(FileChannel channel, InodeId file, long at, long size, boolean shared) {
    Held wanted = new Held(channel, file, at, size, shared);
    synchronized (held) {
      List<Held> others = held.computeIfAbsent(file, _ -> new ArrayList<>());
      if (others.stream().anyMatch(other -> other.overlaps(at, size))) {
        throw new OverlappingFileLockException();
      }
      others.add(wanted);
    }
    return wanted;
  }

  /** The channel closes: its locks are gone. */
  void releaseAll(FileChannel channel) {
    synchronized (held) {
      List<Held> gone =
          held.values().stream()
              .flatMap(List::stream)
              .filter(each -> each.acquiredBy().equals(channel))
              .toList();
      gone.forEach(this::forget);
    }
  }

  /** With the monitor held. */
  private void forget(Held lock) {
    lock.valid = false;
    List<Held> others = held.get(lock.file);
    if (others != null && others.remove(lock) && others.isEmpty()) {
      held.remove(lock.file);
    }
  }
}
