package luciola.client.mount;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import luciola.client.cluster.InodeFiles;
import luciola.grpc.v1.Inode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everything that programs of a mount have open, by the handles that the kernel knows. */
final class OpenFiles {
  private static final Logger log = LoggerFactory.getLogger(OpenFiles.class);

  private final InodeFiles files;
  private final long lengthNanos;
  private final Map<Long, OpenInode> inodes = new HashMap<>();
  private final ConcurrentHashMap<Long, Handle> handles = new ConcurrentHashMap<>();
  private final AtomicLong lastHandle = new AtomicLong();

  /**
   * Nothing is open.
   *
   * @param lengthNanos how long a file's length is taken for right by who only reads
   */
  OpenFiles(InodeFiles files, long lengthNanos) {
    this.files = files;
    this.lengthNanos = lengthNanos;
  }

  /** An open file of a program. */
  private record Handle(long inode, OpenInode file) {}

  /** Opens an inode once more; returns the new handle. */
  long open(Inode inode) {
    OpenInode file;
    synchronized (this) {
      file = inodes.computeIfAbsent(inode.getId(), _ -> new OpenInode(files, inode, lengthNanos));
      file.handles++;
    }
    file.learn(inode);
    long handle = lastHandle.incrementAndGet();
    handles.put(handle, new Handle(inode.getId(), file));
    return handle;
  }

  /** The file of a handle; null if there is no such one. */
  @Nullable OpenInode file(long handle) {
    Handle open = handles.get(handle);
    return open == null ? null : open.file();
  }

  /** An inode that somebody has open; null if nobody has. */
  synchronized @Nullable OpenInode ofInode(long inode) {
    return inodes.get(inode);
  }

  synchronized boolean isEmpty() {
    return inodes.isEmpty();
  }

  /** Closes a handle; the last one of an inode ends its session. */
  void close(long handle) {
    Handle open = handles.remove(handle);
    if (open == null) {
      return;
    }
    boolean last;
    // Who opens it next, with a reader of its own, finds everything written.
    LuciolaException fault = published(open.file());
    synchronized (this) {
      last = --open.file().handles == 0;
      if (last) {
        inodes.remove(open.inode());
      }
    }
    if (last) {
      open.file().close();
    }
    if (fault != null) {
      throw fault;
    }
  }

  private static @Nullable LuciolaException published(OpenInode file) {
    try {
      file.publish();
      return null;
    } catch (LuciolaException e) {
      return e;
    }
  }

  /**
   * Files that have been read for so long and are not kept yet, so that at most {@code max} are.
   */
  synchronized List<OpenInode> toBeKept(long ageNanos, int max) {
    long kept = inodes.values().stream().filter(OpenInode::isKept).count();
    return inodes.values().stream()
        .filter(file -> file.isToBeKept(ageNanos))
        .limit(Math.max(0, max - kept))
        .toList();
  }

  /** Does something with an inode as if it were open meanwhile. */
  <T> T during(Inode inode, Function<OpenInode, T> work) {
    long handle = open(inode);
    try {
      OpenInode file = file(handle);
      if (file == null) {
        throw new IllegalStateException("closed meanwhile: inode=" + inode.getId());
      }
      return work.apply(file);
    } finally {
      close(handle);
    }
  }

  /** Closes everything that is still open. */
  void closeAll() {
    List<Long> open = new ArrayList<>(handles.keySet());
    for (long handle : open) {
      try {
        close(handle);
      } catch (LuciolaException e) {
        log.error("file not written as a whole error={}", e.getMessage());
      }
    }
  }
}
