package luciola.client.nio;

import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import luciola.client.FileStat;
import luciola.client.FileType;

/**
 * Attributes of a file as {@code java.nio.file} names them.
 *
 * @param authority of its file system, which stands for the device
 */
record LuciolaAttributes(FileStat stat, String authority) implements PosixFileAttributes {
  private static final PosixFilePermission[] BITS = {
    PosixFilePermission.OTHERS_EXECUTE,
    PosixFilePermission.OTHERS_WRITE,
    PosixFilePermission.OTHERS_READ,
    PosixFilePermission.GROUP_EXECUTE,
    PosixFilePermission.GROUP_WRITE,
    PosixFilePermission.GROUP_READ,
    PosixFilePermission.OWNER_EXECUTE,
    PosixFilePermission.OWNER_WRITE,
    PosixFilePermission.OWNER_READ
  };

  /** A user or group by its number. */
  record Principal(int id) implements GroupPrincipal {
    @Override
    public String getName() {
      return Integer.toString(id);
    }

    @Override
    public String toString() {
      return getName();
    }
  }

  static int mode(Set<PosixFilePermission> permissions) {
    int mode = 0;
    for (int bit = 0; bit < BITS.length; bit++) {
      mode |= permissions.contains(BITS[bit]) ? 1 << bit : 0;
    }
    return mode;
  }

  static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }

  @Override
  public UserPrincipal owner() {
    return new Principal(stat.uid());
  }

  @Override
  public GroupPrincipal group() {
    return new Principal(stat.gid());
  }

  @Override
  public Set<PosixFilePermission> permissions() {
    Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
    for (int bit = 0; bit < BITS.length; bit++) {
      if ((stat.mode() & 1 << bit) != 0) {
        permissions.add(BITS[bit]);
      }
    }
    return permissions;
  }

  @Override
  public FileTime lastModifiedTime() {
    return FileTime.from(stat.modifiedNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public FileTime lastAccessTime() {
    return FileTime.from(stat.accessedNanos(), TimeUnit.NANOSECONDS);
  }

  /** The time of last modification: none of creation is kept. */
  @Override
  public FileTime creationTime() {
    return lastModifiedTime();
  }

  @Override
  public boolean isRegularFile() {
    return stat.isFile();
  }

  @Override
  public boolean isDirectory() {
    return stat.isDirectory();
  }

  @Override
  public boolean isSymbolicLink() {
    return stat.type() == FileType.SYMLINK;
  }

  @Override
  public boolean isOther() {
    return !isRegularFile() && !isDirectory() && !isSymbolicLink();
  }

  @Override
  public long size() {
    return stat.length();
  }

  @Override
  public Object fileKey() {
    return stat.inode();
  }

  /** The type as Linux has it in the mode. */
  private int typeBits() {
    return switch (stat.type()) {
      case FILE -> 0100000;
      case DIRECTORY -> 0040000;
      case SYMLINK -> 0120000;
      case FIFO -> 0010000;
      case SOCKET -> 0140000;
      case CHARACTER_DEVICE -> 0020000;
      case BLOCK_DEVICE -> 0060000;
    };
  }

  /** Every attribute by its name. */
  Map<String, Object> byName() {
    Map<String, Object> all = new HashMap<>();
    all.put("lastModifiedTime", lastModifiedTime());
    all.put("lastAccessTime", lastAccessTime());
    all.put("creationTime", creationTime());
    all.put("size", size());
    all.put("isRegularFile", isRegularFile());
    all.put("isDirectory", isDirectory());
    all.put("isSymbolicLink", isSymbolicLink());
    all.put("isOther", isOther());
    all.put("fileKey", fileKey());
    all.put("owner", owner());
    all.put("group", group());
    all.put("permissions", permissions());
    all.put("mode", stat.mode() | typeBits());
    all.put("ino", stat.inode().value());
    all.put("dev", Integer.toUnsignedLong(authority.hashCode()));
    all.put("rdev", 0L);
    all.put("nlink", stat.nlink());
    all.put("uid", stat.uid());
    all.put("gid", stat.gid());
    all.put("ctime", FileTime.from(stat.changedNanos(), TimeUnit.NANOSECONDS));
    return all;
  }
}
