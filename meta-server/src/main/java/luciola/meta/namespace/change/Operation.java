package luciola.meta.namespace.change;

import java.util.Optional;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.namespace.lock.LockChange;
import luciola.meta.namespace.quota.QuotaChange;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.routing.ChainTable;

/**
 * One change being applied: what it works on and for whom.
 *
 * @param tree where it reads and changes
 * @param who asks
 * @param client whose sessions are meant
 * @param nowNanos the time of the command, since 1970
 * @param table the chain table that new files get
 */
public record Operation(
    Tree tree, Identity who, long client, long nowNanos, Optional<ChainTable> table) {

  /**
   * Carries out a change.
   *
   * @throws Refusal with the reason why not; what was changed until then is to be dropped
   */
  public NamespaceReply.Builder apply(NamespaceRequest request) {
    return switch (request.getOperationCase()) {
      case SET_ATTRIBUTES -> SetAttributesChange.apply(this, request.getSetAttributes());
      case CREATE -> CreateChange.apply(this, request.getCreate());
      case MAKE_DIRECTORY -> MakeDirectoryChange.apply(this, request.getMakeDirectory());
      case MAKE_SYMLINK -> MakeSymlinkChange.apply(this, request.getMakeSymlink());
      case MAKE_NODE -> MakeNodeChange.apply(this, request.getMakeNode());
      case MAKE_LINK -> MakeLinkChange.apply(this, request.getMakeLink());
      case UNLINK -> RemoveChange.unlink(this, request.getUnlink());
      case REMOVE_DIRECTORY -> RemoveChange.removeDirectory(this, request.getRemoveDirectory());
      case REMOVE_TREE -> RemoveTreeChange.apply(this, request.getRemoveTree());
      case RENAME -> RenameChange.apply(this, request.getRename());
      case OPEN -> OpenChange.apply(this, request.getOpen());
      case CLOSE -> CloseChange.apply(this, request.getClose());
      case PUBLISH_LENGTH -> LengthChange.publish(this, request.getPublishLength());
      case HOLD_LENGTH -> LengthChange.hold(this, request.getHoldLength());
      case TRUNCATE -> LengthChange.truncate(this, request.getTruncate());
      case TAKE_GARBAGE -> GarbageChange.take(this, request.getTakeGarbage());
      case DROP_GARBAGE -> GarbageChange.drop(this, request.getDropGarbage());
      case SET_EXTENDED -> ExtendedChange.set(this, request.getSetExtended());
      case REMOVE_EXTENDED -> ExtendedChange.remove(this, request.getRemoveExtended());
      case SET_LOCK -> LockChange.set(tree, who, client, request.getSetLock().getLock());
      case SET_QUOTA -> QuotaChange.set(tree, who, request.getSetQuota());
      case REMOVE_QUOTA -> QuotaChange.remove(tree, who, request.getRemoveQuota());
      case RELEASE_LOCKS -> LockChange.release(tree, client, request.getReleaseLocks().getInode());
      case LOOKUP,
          GET_ATTRIBUTES,
          LIST,
          READ_LINK,
          STAT_FS,
          BATCH_GET_ATTRIBUTES,
          TREE_USAGE,
          RENEW_SESSIONS,
          GET_EXTENDED,
          LIST_EXTENDED,
          TEST_LOCK,
          AWAIT_LOCK,
          CANCEL_AWAIT,
          SHOW_QUOTA,
          LIST_QUOTAS,
          OPERATION_NOT_SET ->
          throw new Refusal(
              ErrorCode.INVALID_ARGUMENT, "not a change: " + request.getOperationCase());
    };
  }

  Walk walk() {
    return new Walk(tree, who);
  }

  static NamespaceReply.Builder reply(Inode inode) {
    return NamespaceReply.newBuilder().setInode(inode);
  }

  /** Stores a directory whose entries have changed, its links with it. */
  Inode touch(Inode directory, int subdirectories) {
    Inode touched =
        directory.toBuilder()
            .setModifiedNanos(nowNanos)
            .setChangedNanos(nowNanos)
            .setNlink(directory.getNlink() + subdirectories)
            .build();
    tree.put(touched);
    return touched;
  }
}
