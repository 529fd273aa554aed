package luciola.meta.namespace.change;

import luciola.grpc.v1.Close;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;

/** Ends a session. The last one of a file without a name makes it garbage. */
public final class CloseChange {
  private CloseChange() {}

  static NamespaceReply.Builder apply(Operation operation, Close asked) {
    Tree tree = operation.tree();
    Refusal.unless(
        tree.hasSession(asked.getInode(), operation.client(), asked.getSession()),
        ErrorCode.BAD_SESSION,
        "inode=" + asked.getInode() + " session=" + asked.getSession());
    Inode inode = tree.namedInode(asked.getInode());
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
    end(
        tree,
        new Tree.SessionKey(asked.getInode(), operation.client(), asked.getSession()),
        operation.nowNanos());
    return Operation.reply(inode);
  }

  /** Ends a session, whoever has it. */
  public static void end(Tree tree, Tree.SessionKey session, long nowNanos) {
    tree.closeSession(session.inode(), session.client(), session.session());
    Inode inode = tree.namedInode(session.inode());
    if (inode.getNlink() == 0 && !tree.hasSession(inode.getId())) {
      RemoveChange.collect(tree, inode, nowNanos);
    }
  }
}
