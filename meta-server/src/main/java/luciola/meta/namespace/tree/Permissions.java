package luciola.meta.namespace.tree;

import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.protocol.error.ErrorCode;

/** Who may do what, as POSIX says. User 0 may do everything. */
public final class Permissions {
  public static final int READ = 4;
  public static final int WRITE = 2;
  public static final int EXECUTE = 1;
  public static final int SET_UID = 04000;
  public static final int SET_GID = 02000;
  public static final int STICKY = 01000;
  public static final int MODE_MASK = 07777;

  private Permissions() {}

  /** Whether the owner's, group's or others' bits, whichever apply, include all of {@code bits}. */
  public static boolean allows(Inode inode, Identity who, int bits) {
    if (who.getUid() == 0) {
      return true;
    }
    int shift = inode.getUid() == who.getUid() ? 6 : inGroup(who, inode.getGid()) ? 3 : 0;
    return ((inode.getMode() >> shift) & bits) == bits;
  }

  /** PERMISSION_DENIED unless {@link #allows}. */
  public static void require(Inode inode, Identity who, int bits) {
    Refusal.unless(
        allows(inode, who, bits),
        ErrorCode.PERMISSION_DENIED,
        "inode=" + inode.getId() + " uid=" + Integer.toUnsignedString(who.getUid()));
  }

  /** Whether a group is one of the asker's. */
  public static boolean inGroup(Identity who, int gid) {
    return who.getGid() == gid || who.getGroupsList().contains(gid);
  }

  /** Whether the asker owns it or is user 0. */
  public static boolean owns(Inode inode, Identity who) {
    return who.getUid() == 0 || who.getUid() == inode.getUid();
  }

  /** NOT_PERMITTED unless {@link #owns}. */
  public static void requireOwner(Inode inode, Identity who) {
    Refusal.unless(
        owns(inode, who),
        ErrorCode.NOT_PERMITTED,
        "not the owner: inode=" + inode.getId() + " uid=" + Integer.toUnsignedString(who.getUid()));
  }

  /** What adding a name to a directory needs. */
  public static void requireChange(Inode directory, Identity who) {
    require(directory, who, WRITE | EXECUTE);
  }

  /** What taking a name out of a directory needs, the sticky bit included. */
  public static void requireRemoval(Inode directory, Inode child, Identity who) {
    requireChange(directory, who);
    Refusal.unless(
        (directory.getMode() & STICKY) == 0 || owns(directory, who) || owns(child, who),
        ErrorCode.NOT_PERMITTED,
        "sticky directory: inode=" + child.getId() + " directory=" + directory.getId());
  }
}
