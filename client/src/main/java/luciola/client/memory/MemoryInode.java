package luciola.client.memory;

import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.protocol.id.InodeId;

/** What a name stands for. Guarded by its file system's lock. */
abstract sealed class MemoryInode {
  final InodeId id;
  int mode;
  int uid;
  int gid;
  int nlink = 1;
  long accessedNanos;
  long modifiedNanos;
  long changedNanos;

  MemoryInode(InodeId id, int mode, long nowNanos) {
    this.id = id;
    this.mode = mode;
    accessedNanos = nowNanos;
    modifiedNanos = nowNanos;
    changedNanos = nowNanos;
  }

  abstract FileType type();

  abstract long length();

  final void modified(long nowNanos) {
    modifiedNanos = nowNanos;
    changedNanos = nowNanos;
  }

  final FileStat stat() {
    return new FileStat(
        id, type(), mode, uid, gid, nlink, length(), accessedNanos, modifiedNanos, changedNanos);
  }

  /** A file. */
  static final class File extends MemoryInode {
    final SparseBytes bytes = new SparseBytes();
    int opened;

    File(InodeId id, int mode, long nowNanos) {
      super(id, mode, nowNanos);
    }

    @Override
    FileType type() {
      return FileType.FILE;
    }

    @Override
    long length() {
      return bytes.length();
    }
  }

  /** A directory; names sort by their UTF-8 bytes. */
  static final class Directory extends MemoryInode {
    final TreeMap<String, MemoryInode> entries = new TreeMap<>(MemoryInode::compareBytes);
    Directory parent;

    @SuppressWarnings("this-escape")
    Directory(InodeId id, int mode, long nowNanos) {
      super(id, mode, nowNanos);
      this.parent = this;
      nlink = 2;
    }

    Directory(InodeId id, int mode, long nowNanos, Directory parent) {
      super(id, mode, nowNanos);
      this.parent = parent;
      nlink = 2;
    }

    boolean isBelow(Directory other) {
      Directory at = this;
      while (at != at.parent && at != other) {
        at = at.parent;
      }
      return at == other;
    }

    @Override
    FileType type() {
      return FileType.DIRECTORY;
    }

    @Override
    long length() {
      return 0;
    }
  }

  /** A symbolic link. */
  static final class Symlink extends MemoryInode {
    final String target;

    Symlink(InodeId id, String target, long nowNanos) {
      super(id, 0777, nowNanos);
      this.target = target;
    }

    @Override
    FileType type() {
      return FileType.SYMLINK;
    }

    @Override
    long length() {
      return target.getBytes(StandardCharsets.UTF_8).length;
    }
  }

  private static int compareBytes(String a, String b) {
    return java.util.Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }
}
