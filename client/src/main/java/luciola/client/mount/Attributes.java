package luciola.client.mount;

import java.util.concurrent.TimeUnit;
import luciola.client.fuse.FuseAttributes;
import luciola.client.fuse.FuseChange;
import luciola.client.fuse.FuseEntry;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel is told of an inode.
 *
 * @param nanos how long that is right
 */
record Attributes(long nanos) {
  private static final int S_IFMT = 0170000;
  private static final int S_IFDIR = 0040000;
  private static final int S_IFREG = 0100000;
  private static final int S_IFLNK = 0120000;
  private static final int S_IFIFO = 0010000;
  private static final int S_IFCHR = 0020000;
  private static final int S_IFBLK = 0060000;
  private static final int S_IFSOCK = 0140000;
  private static final int BLOCK_BYTES = 512;
  private static final int IO_BYTES = 1 << 20;
  private static final int DIRECTORY_IO_BYTES = 4096;
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  FuseEntry entry(Inode inode) {
    return new FuseEntry(inode.getId(), 1, nanos, nanos, of(inode));
  }

  static FuseAttributes of(Inode inode) {
    boolean directory = inode.getType() == InodeType.INODE_TYPE_DIRECTORY;
    long size =
        switch (inode.getType()) {
          case INODE_TYPE_DIRECTORY -> DIRECTORY_IO_BYTES;
          case INODE_TYPE_SYMLINK -> inode.getSymlinkTarget().size();
          default -> inode.getLength();
        };
    return new FuseAttributes(
        inode.getId(),
        size,
        (size + BLOCK_BYTES - 1) / BLOCK_BYTES,
        at(inode.getAccessedNanos()),
        at(inode.getModifiedNanos()),
        at(inode.getChangedNanos()),
        type(inode) | inode.getMode(),
        inode.getNlink(),
        inode.getUid(),
        inode.getGid(),
        inode.getDevice(),
        directory ? DIRECTORY_IO_BYTES : IO_BYTES);
  }

  /** Type as the upper bits of a mode. */
  static int type(Inode inode) {
    return switch (inode.getType()) {
      case INODE_TYPE_DIRECTORY -> S_IFDIR;
      case INODE_TYPE_SYMLINK -> S_IFLNK;
      case INODE_TYPE_FIFO -> S_IFIFO;
      case INODE_TYPE_SOCKET -> S_IFSOCK;
      case INODE_TYPE_CHARACTER_DEVICE -> S_IFCHR;
      case INODE_TYPE_BLOCK_DEVICE -> S_IFBLK;
      default -> S_IFREG;
    };
  }

  /** What is made by mknod, by the upper bits of its mode; null if it is something else. */
  static @Nullable InodeType special(int mode) {
    return switch (mode & S_IFMT) {
      case S_IFIFO -> InodeType.INODE_TYPE_FIFO;
      case S_IFSOCK -> InodeType.INODE_TYPE_SOCKET;
      case S_IFCHR -> InodeType.INODE_TYPE_CHARACTER_DEVICE;
      case S_IFBLK -> InodeType.INODE_TYPE_BLOCK_DEVICE;
      default -> null;
    };
  }

  private static FuseChange.At at(long nanos) {
    return new FuseChange.At(Math.floorDiv(nanos, SECOND), (int) Math.floorMod(nanos, SECOND));
  }

  static long nanos(FuseChange.At at) {
    return at.seconds() * SECOND + at.nanos();
  }
}
