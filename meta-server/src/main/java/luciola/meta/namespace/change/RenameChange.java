package luciola.meta.namespace.change;

import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.Rename;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * Moves a name, or exchanges two, in one step: rename(2), renameat2(2). A replaced file loses this
 * name; a replaced directory must be empty.
 */
final class RenameChange {
  private final Operation operation;
  private final Tree tree;

  private RenameChange(Operation operation) {
    this.operation = operation;
    this.tree = operation.tree();
  }

  static NamespaceReply.Builder apply(Operation operation, Rename asked) {
    return new RenameChange(operation).apply(asked);
  }

  private NamespaceReply.Builder apply(Rename asked) {
    Refusal.unless(
        !(asked.getNoReplace() && asked.getExchange()),
        ErrorCode.INVALID_ARGUMENT,
        "rename: either no_replace or exchange");
    Walk.Place from = operation.walk().place(asked.getFrom(), false);
    Walk.Place to = operation.walk().place(asked.getTo(), false);
    Inode moved = from.existing();
    Inode replaced = to.inode();
    Inode source = from.parent();
    Inode destination = to.parent();
    Permissions.requireRemoval(source, moved, operation.who());
    Permissions.requireChange(destination, operation.who());
    Refusal.unless(
        !(asked.getNoReplace() && replaced != null),
        ErrorCode.EXISTS,
        "name=" + to.name().toStringUtf8());
    Refusal.unless(
        !asked.getExchange() || replaced != null,
        ErrorCode.NOT_FOUND,
        "name=" + to.name().toStringUtf8());
    if (replaced != null) {
      Permissions.requireRemoval(destination, replaced, operation.who());
      if (replaced.getId() == moved.getId()) {
        return Operation.reply(moved);
      }
    }
    requireNotInside(moved, destination);
    requireMovable(moved, source, destination);
    if (asked.getExchange() && replaced != null) {
      requireNotInside(replaced, source);
      requireMovable(replaced, destination, source);
      return exchange(from, to, moved, replaced, source, destination);
    }
    return move(from, to, moved, replaced, source, destination);
  }

  private NamespaceReply.Builder move(
      Walk.Place from,
      Walk.Place to,
      Inode moved,
      @Nullable Inode replaced,
      Inode source,
      Inode destination) {
    int links = isDirectory(moved) ? 1 : 0;
    int freed = 0;
    if (replaced != null) {
      requireReplaceable(moved, replaced);
      tree.deleteName(destination.getId(), to.name(), replaced);
      if (isDirectory(replaced)) {
        tree.deleteInode(replaced);
        freed = 1;
      } else {
        RemoveChange.unnamed(tree, replaced, operation.nowNanos());
      }
    }
    tree.deleteName(source.getId(), from.name(), moved);
    Inode placed = put(moved, destination, to);
    touchBoth(source, -links, destination, links - freed);
    return Operation.reply(placed);
  }

  private NamespaceReply.Builder exchange(
      Walk.Place from, Walk.Place to, Inode moved, Inode other, Inode source, Inode destination) {
    tree.deleteName(source.getId(), from.name(), moved);
    tree.deleteName(destination.getId(), to.name(), other);
    Inode placed = put(moved, destination, to);
    put(other, source, from);
    int shift = (isDirectory(moved) ? 1 : 0) - (isDirectory(other) ? 1 : 0);
    touchBoth(source, -shift, destination, shift);
    return Operation.reply(placed);
  }

  private Inode put(Inode moved, Inode directory, Walk.Place place) {
    Inode.Builder placed = moved.toBuilder().setChangedNanos(operation.nowNanos());
    if (isDirectory(moved)) {
      placed.setParent(directory.getId());
    }
    Inode stored = placed.build();
    tree.put(stored);
    tree.putName(directory.getId(), place.name(), stored);
    return stored;
  }

  private void touchBoth(Inode source, int sourceLinks, Inode destination, int destinationLinks) {
    if (source.getId() == destination.getId()) {
      operation.touch(source, sourceLinks + destinationLinks);
    } else {
      operation.touch(source, sourceLinks);
      operation.touch(destination, destinationLinks);
    }
  }

  private void requireReplaceable(Inode moved, Inode replaced) {
    if (isDirectory(moved)) {
      Refusal.unless(isDirectory(replaced), ErrorCode.NOT_A_DIRECTORY, "inode=" + replaced.getId());
      RemoveChange.requireEmpty(tree, replaced);
    } else {
      Refusal.unless(!isDirectory(replaced), ErrorCode.IS_A_DIRECTORY, "inode=" + replaced.getId());
    }
  }

  /** A directory that changes its parent is itself changed. */
  private void requireMovable(Inode moved, Inode source, Inode destination) {
    if (isDirectory(moved) && source.getId() != destination.getId()) {
      Permissions.require(moved, operation.who(), Permissions.WRITE);
    }
  }

  private void requireNotInside(Inode moved, Inode directory) {
    if (!isDirectory(moved)) {
      return;
    }
    Inode at = directory;
    while (at.getId() != moved.getId() && at.getId() != Tree.ROOT) {
      at =
          tree.inode(at.getParent())
              .orElseThrow(() ->
                  new Refusal(
                      ErrorCode.NOT_FOUND, "removed directory: inode=" + directory.getId()));
    }
    Refusal.unless(
        at.getId() != moved.getId(),
        ErrorCode.INVALID_ARGUMENT,
        "a directory cannot move into itself: inode=" + moved.getId());
  }

  private static boolean isDirectory(Inode inode) {
    return inode.getType() == InodeType.INODE_TYPE_DIRECTORY;
  }
}
