package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.Layout;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.SetAttributes;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.protocol.error.ErrorCode;

/** Changes mode, owner, times, and what a directory hands down: chmod, chown, utimensat. */
final class SetAttributesChange {
  private final Operation operation;
  private final SetAttributes asked;
  private final Inode before;
  private final Inode.Builder after;

  private SetAttributesChange(Operation operation, SetAttributes asked) {
    this.operation = operation;
    this.asked = asked;
    this.before = operation.walk().inode(asked.getAt(), asked.getFollow());
    this.after = before.toBuilder().setChangedNanos(operation.nowNanos());
  }

  static NamespaceReply.Builder apply(Operation operation, SetAttributes asked) {
    var change = new SetAttributesChange(operation, asked);
    change.owner();
    change.mode();
    change.times();
    change.inheritance();
    Inode stored = change.after.build();
    operation.tree().put(stored);
    return Operation.reply(stored);
  }

  private void owner() {
    boolean root = operation.who().getUid() == 0;
    if (asked.hasUid()) {
      Refusal.unless(
          root || (asked.getUid() == before.getUid() && Permissions.owns(before, operation.who())),
          ErrorCode.NOT_PERMITTED,
          "only user 0 gives files away: inode=" + before.getId());
      after.setUid(asked.getUid());
    }
    if (asked.hasGid()) {
      Permissions.requireOwner(before, operation.who());
      Refusal.unless(
          root
              || asked.getGid() == before.getGid()
              || Permissions.inGroup(operation.who(), asked.getGid()),
          ErrorCode.NOT_PERMITTED,
          "not a member: gid=" + Integer.toUnsignedString(asked.getGid()));
      after.setGid(asked.getGid());
    }
    if ((asked.hasUid() || asked.hasGid()) && before.getType() == InodeType.INODE_TYPE_FILE) {
      int cleared = Permissions.SET_UID;
      if ((before.getMode() & 010) != 0) {
        cleared |= Permissions.SET_GID;
      }
      after.setMode(after.getMode() & ~cleared);
    }
  }

  private void mode() {
    if (!asked.hasMode()) {
      return;
    }
    Permissions.requireOwner(before, operation.who());
    after.setMode(mode(operation, asked.getMode(), after.getGid()));
  }

  /** The permission bits that the asker can give to a file of that group. */
  static int mode(Operation operation, int asked, int gid) {
    int mode = asked & Permissions.MODE_MASK;
    return operation.who().getUid() == 0 || Permissions.inGroup(operation.who(), gid)
        ? mode
        : mode & ~Permissions.SET_GID;
  }

  private void times() {
    boolean explicit = asked.hasAccessedNanos() || asked.hasModifiedNanos();
    boolean now = asked.getAccessedNow() || asked.getModifiedNow();
    if (explicit) {
      Permissions.requireOwner(before, operation.who());
    } else if (now && !Permissions.owns(before, operation.who())) {
      Permissions.require(before, operation.who(), Permissions.WRITE);
    }
    if (asked.hasAccessedNanos()) {
      after.setAccessedNanos(asked.getAccessedNanos());
    }
    if (asked.hasModifiedNanos()) {
      after.setModifiedNanos(asked.getModifiedNanos());
    }
    if (asked.getAccessedNow()) {
      after.setAccessedNanos(operation.nowNanos());
    }
    if (asked.getModifiedNow()) {
      after.setModifiedNanos(operation.nowNanos());
    }
  }

  private void inheritance() {
    if (!asked.hasInheritChunkBytes() && !asked.hasInheritStripe()) {
      return;
    }
    Permissions.requireOwner(before, operation.who());
    Refusal.unless(
        before.getType() == InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.NOT_A_DIRECTORY,
        "only a directory hands a layout down: inode=" + before.getId());
    Layout.Builder layout = before.getInheritedLayout().toBuilder();
    if (asked.hasInheritChunkBytes()) {
      if (asked.getInheritChunkBytes() != 0) {
        NewInode.requireChunkBytes(asked.getInheritChunkBytes());
      }
      layout.setChunkBytes(asked.getInheritChunkBytes());
    }
    if (asked.hasInheritStripe()) {
      Refusal.unless(
          asked.getInheritStripe() >= 0,
          ErrorCode.INVALID_ARGUMENT,
          "stripe=" + Integer.toUnsignedString(asked.getInheritStripe()));
      layout.setStripe(asked.getInheritStripe());
    }
    after.setInheritedLayout(layout);
  }
}
