package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.RemoveDirectory;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** Takes one name away: unlink(2) and rmdir(2). */
public final class RemoveChange {
  private RemoveChange() {}

  static NamespaceReply.Builder unlink(Operation operation, Unlink asked) {
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Inode inode = place.existing();
    Refusal.unless(
        inode.getType() != InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.IS_A_DIRECTORY,
        "name=" + place.name().toStringUtf8());
    Permissions.requireRemoval(place.parent(), inode, operation.who());
    operation.tree().deleteName(place.parent().getId(), place.name(), inode);
    operation.touch(place.parent(), 0);
    return Operation.reply(unnamed(operation.tree(), inode, operation.nowNanos()));
  }

  static NamespaceReply.Builder removeDirectory(Operation operation, RemoveDirectory asked) {
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Inode inode = place.existing();
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.NOT_A_DIRECTORY,
        "name=" + place.name().toStringUtf8());
    Permissions.requireRemoval(place.parent(), inode, operation.who());
    requireEmpty(operation.tree(), inode);
    operation.tree().deleteName(place.parent().getId(), place.name(), inode);
    operation.tree().deleteInode(inode);
    operation.touch(place.parent(), -1);
    return Operation.reply(inode.toBuilder().setNlink(0).build());
  }

  static void requireEmpty(Tree tree, Inode directory) {
    Refusal.unless(
        tree.isEmpty(directory.getId()), ErrorCode.NOT_EMPTY, "directory=" + directory.getId());
  }

  /** An inode, not a directory, that has lost one name: kept while it has names or sessions. */
  static Inode unnamed(Tree tree, Inode inode, long nowNanos) {
    Inode.Builder left = inode.toBuilder().setNlink(inode.getNlink() - 1).setChangedNanos(nowNanos);
    if (left.getNlink() > 0) {
      tree.put(left.build());
    } else {
      left.setRemovedNanos(nowNanos);
      lost(tree, left.build());
    }
    return left.build();
  }

  private static void lost(Tree tree, Inode inode) {
    if (tree.sessions().any(inode.getId())) {
      tree.put(inode);
    } else {
      collect(tree, inode);
    }
  }

  /**
   * An inode has neither name nor session. A file becomes garbage, and stays until a collector
   * takes it: who opened it for reading before can still take a session.
   */
  public static void collect(Tree tree, Inode inode) {
    if (inode.getType() == InodeType.INODE_TYPE_FILE) {
      tree.putRemoved(inode);
    } else {
      tree.deleteInode(inode);
    }
  }
}
