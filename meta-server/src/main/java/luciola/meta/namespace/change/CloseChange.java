package luciola.meta.namespace.change;

import luciola.grpc.v1.Close;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/**
 * Ends a session. The last one of a file without a name makes it garbage. A reader's session tells
 * of no changes.
 */
public final class CloseChange {
  private CloseChange() {}

  static NamespaceReply.Builder apply(Operation operation, Close asked) {
    Tree tree = operation.tree();
    Refusal.unless(
        tree.hasSession(asked.getInode(), operation.client(), asked.getSession()),
        ErrorCode.BAD_SESSION,
        "inode=" + asked.getInode() + " session=" + asked.getSession());
    Inode inode = tree.namedInode(asked.getInode());
    if (asked.hasLength() || asked.getModified()) {
      requireWrites(operation, asked.getInode(), asked.getSession());
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
    tree.put(inode);
    end(tree, new Tree.SessionKey(asked.getInode(), operation.client(), asked.getSession()));
    return Operation.reply(inode);
  }

  /** That a session is there, and of somebody who writes. */
  static void requireWrites(Operation operation, long inode, long session) {
    Refusal.unless(
        operation.tree().mayWrite(inode, operation.client(), session),
        ErrorCode.BAD_SESSION,
        "of no writer: inode=" + inode + " session=" + session);
  }

  /** Ends a session, whoever has it. */
  public static void end(Tree tree, Tree.SessionKey session) {
    tree.closeSession(session.inode(), session.client(), session.session());
    Inode inode = tree.namedInode(session.inode());
    if (inode.getNlink() == 0 && !tree.hasSession(inode.getId())) {
      RemoveChange.collect(tree, inode);
    }
  }
}
