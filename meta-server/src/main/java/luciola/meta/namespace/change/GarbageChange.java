package luciola.meta.namespace.change;

import java.util.HashSet;
import java.util.List;
import luciola.grpc.v1.DropGarbage;
import luciola.grpc.v1.GarbageResult;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.TakeGarbage;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/**
 * Garbage for the collector: files whose chunks are to be removed. A file's inode goes when it is
 * taken. Taking walks detached directories a bounded number of entries further; what is taken stays
 * until it is dropped, so that a collector that dies loses nothing.
 */
final class GarbageChange {
  static final int LIMIT_DEFAULT = 256;
  static final int LIMIT_MAX = 4096;

  private GarbageChange() {}

  static NamespaceReply.Builder take(Operation operation, TakeGarbage asked) {
    requireRoot(operation.who());
    int limit = asked.getLimit() <= 0 ? LIMIT_DEFAULT : Math.min(asked.getLimit(), LIMIT_MAX);
    Tree tree = operation.tree();
    long until =
        asked.hasUntilNanos()
            ? Math.min(asked.getUntilNanos(), operation.nowNanos())
            : operation.nowNanos();
    List<Tree.Garbage> oldest = tree.garbage(limit, until, _ -> true);
    tree.garbageFrom(
        oldest.isEmpty()
            ? Math.max(until, tree.counters().getGarbageFromNanos())
            : oldest.getFirst().timeNanos());
    GarbageResult.Builder result =
        GarbageResult.newBuilder()
            .setNowNanos(operation.nowNanos())
            .setMore(oldest.size() == limit);
    int budget = limit;
    for (Tree.Garbage garbage : oldest) {
      if (garbage.inode().getType() != InodeType.INODE_TYPE_DIRECTORY) {
        tree.inode(garbage.inode().getId()).ifPresent(tree::deleteInode);
        result.addInodes(garbage.inode());
      } else if (budget > 0) {
        budget -= dissolve(operation, garbage, oldest.getLast().timeNanos(), budget);
        result.setMore(true);
      }
    }
    return NamespaceReply.newBuilder().setGarbage(result);
  }

  /**
   * Removes up to {@code budget} entries of a detached directory; returns the work done, over 0.
   * Files are garbage as of now, so that who reads one has time to take a session. The directory
   * itself, if there is more in it, and those it contains wait behind what was taken with it; its
   * record says how far it is. Where much was removed before is therefore not looked at again: that
   * takes long.
   */
  private static int dissolve(
      Operation operation, Tree.Garbage garbage, long behindNanos, int budget) {
    Tree tree = operation.tree();
    Inode directory = garbage.inode();
    List<Tree.Name> names = tree.names(directory.getId(), directory.getEmptiedTo(), budget);
    tree.deleteGarbage(garbage);
    for (Tree.Name name : names) {
      Inode inode = tree.namedInode(name.inode());
      tree.deleteName(directory.getId(), name.name(), inode);
      if (inode.getType() == InodeType.INODE_TYPE_DIRECTORY) {
        tree.deleteInode(inode);
        tree.putGarbage(new Tree.Garbage(behindNanos, inode.toBuilder().setNlink(0).build()));
      } else {
        RemoveChange.unnamed(tree, inode, operation.nowNanos());
      }
    }
    if (names.size() == budget) {
      Inode emptied = directory.toBuilder().setEmptiedTo(names.getLast().name()).build();
      tree.putGarbage(new Tree.Garbage(behindNanos, emptied));
    }
    return names.size() + 1;
  }

  static NamespaceReply.Builder drop(Operation operation, DropGarbage asked) {
    requireRoot(operation.who());
    var dropped = new HashSet<>(asked.getInodesList());
    operation
        .tree()
        .garbage(
            dropped.size(),
            asked.getUntilNanos() == 0 ? Long.MAX_VALUE : asked.getUntilNanos(),
            inode ->
                inode.getType() == InodeType.INODE_TYPE_FILE
                    && dropped.contains(inode.getId())
                    && operation.tree().inode(inode.getId()).isEmpty())
        .forEach(operation.tree()::deleteGarbage);
    return NamespaceReply.newBuilder();
  }

  private static void requireRoot(Identity who) {
    Refusal.unless(
        who.getUid() == 0, ErrorCode.NOT_PERMITTED, "garbage is collected by user 0 only");
  }
}
