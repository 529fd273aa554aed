package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.RemoveTree;
import luciola.grpc.v1.Unlink;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;

/**
 * Detaches a whole tree in one step: its top directory becomes garbage, which the collector walks.
 * The asker must be allowed to remove the top, must own it (or be user 0) and be able to change it;
 * directories further down are not asked, because that would make the step as long as the tree.
 */
final class RemoveTreeChange {
  private RemoveTreeChange() {}

  static NamespaceReply.Builder apply(Operation operation, RemoveTree asked) {
    Walk.Place place = operation.walk().place(asked.getAt(), false);
    Inode inode = place.existing();
    if (inode.getType() != InodeType.INODE_TYPE_DIRECTORY) {
      return RemoveChange.unlink(operation, Unlink.newBuilder().setAt(asked.getAt()).build());
    }
    Tree tree = operation.tree();
    Inode directory = place.parent();
    Permissions.requireRemoval(directory, inode, operation.who());
    if (!tree.isEmpty(inode.getId())) {
      Permissions.requireOwner(inode, operation.who());
      Permissions.requireChange(inode, operation.who());
    }
    tree.deleteName(directory.getId(), place.name(), inode);
    tree.deleteInode(inode);
    operation.touch(directory, -1);
    Inode detached = inode.toBuilder().setNlink(0).build();
    tree.putGarbage(new Tree.Garbage(operation.nowNanos(), detached));
    return Operation.reply(detached);
  }
}
