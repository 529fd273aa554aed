package luciola.meta.namespace.change;

import java.util.Optional;
import luciola.grpc.v1.Close;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Sessions;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/**
 * Ends a session; a file without a name can get one in the same step. The last session of one that
 * is left without a name makes it garbage. A reader's session tells of no changes.
 */
public final class CloseChange {
  private CloseChange() {}

  static NamespaceReply.Builder apply(Operation operation, Close asked) {
    Tree tree = operation.tree();
    var session = new Sessions.Key(asked.getInode(), operation.client(), asked.getSession());
    Refusal.unless(
        tree.sessions().has(session),
        ErrorCode.BAD_SESSION,
        "inode=" + asked.getInode() + " session=" + asked.getSession());
    Inode inode = tree.namedInode(asked.getInode());
    if (asked.hasLength() || asked.getModified() || asked.hasName() || asked.getUntold()) {
      requireWrites(operation, session);
    }
    if (asked.hasLength()) {
      inode =
          LengthChange.raised(operation, inode, asked.getLength(), asked.getTruncateGeneration());
    }
    if (asked.getModified()) {
      inode =
          inode.toBuilder()
              .setModifiedNanos(operation.nowNanos())
              .setChangedNanos(operation.nowNanos())
              .build();
    }
    if (asked.getUntold()) {
      inode = inode.toBuilder().setUntold(true).build();
    }
    if (asked.hasName()) {
      inode = named(operation, inode, asked);
    } else {
      tree.put(inode);
    }
    end(tree, session);
    return Operation.reply(inode);
  }

  /** That a session is there, and of somebody who writes. */
  static void requireWrites(Operation operation, Sessions.Key session) {
    Refusal.unless(
        operation.tree().sessions().mayWrite(session),
        ErrorCode.BAD_SESSION,
        "of no writer: inode=" + session.inode() + " session=" + session.session());
  }

  /** A file without a name gets one, with its length, mode and time: from now on all see it. */
  private static Inode named(Operation operation, Inode unnamed, Close asked) {
    Refusal.unless(
        unnamed.getNlink() == 0,
        ErrorCode.INVALID_ARGUMENT,
        "has a name already: inode=" + unnamed.getId());
    Walk.Place place = operation.walk().place(asked.getName(), false);
    requireFree(operation, place, asked.getNoReplace());
    Inode replaced = place.inode();
    if (replaced != null) {
      operation.tree().deleteName(place.parent().getId(), place.name(), replaced);
      var _ = RemoveChange.unnamed(operation.tree(), replaced, operation.nowNanos());
    }
    Inode.Builder named =
        unnamed.toBuilder().setNlink(1).setChangedNanos(operation.nowNanos()).clearRemovedNanos();
    if (asked.hasMode() || asked.hasModifiedNanos()) {
      Permissions.requireOwner(unnamed, operation.who());
    }
    if (asked.hasMode()) {
      named.setMode(SetAttributesChange.mode(operation, asked.getMode(), unnamed.getGid()));
    }
    if (asked.hasModifiedNanos()) {
      named.setModifiedNanos(asked.getModifiedNanos());
    }
    return NewInode.add(operation, place, named.build());
  }

  /** That a file may get this name, in the place of another one perhaps. */
  static void requireFree(Operation operation, Walk.Place place, boolean noReplace) {
    Permissions.requireChange(place.parent(), operation.who());
    Inode present = place.inode();
    if (present != null) {
      Refusal.unless(!noReplace, ErrorCode.EXISTS, "name=" + place.name().toStringUtf8());
      Refusal.unless(
          present.getType() != InodeType.INODE_TYPE_DIRECTORY,
          ErrorCode.IS_A_DIRECTORY,
          "name=" + place.name().toStringUtf8());
      Permissions.requireRemoval(place.parent(), present, operation.who());
    }
  }

  /** Ends the session of a client that is gone: nobody tells of what it wrote. */
  public static void lost(Tree tree, Sessions.Key session) {
    Optional<Inode> inode = tree.inode(session.inode());
    if (inode.isEmpty()) {
      tree.sessions().close(session);
      return;
    }
    if (tree.sessions().mayWrite(session)) {
      tree.put(inode.get().toBuilder().setUntold(true).build());
    }
    end(tree, session);
  }

  /** Ends a session, whoever has it. */
  private static void end(Tree tree, Sessions.Key session) {
    tree.sessions().close(session);
    Inode inode = tree.namedInode(session.inode());
    if (inode.getNlink() == 0 && !tree.sessions().any(inode.getId())) {
      RemoveChange.collect(tree, inode);
    }
  }
}
