package luciola.meta.namespace;

import com.google.common.collect.ImmutableSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.grpc.v1.CountUsage;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.meta.namespace.change.CloseChange;
import luciola.meta.namespace.change.Operation;
import luciola.meta.namespace.check.RepairChange;
import luciola.meta.namespace.lock.LockChange;
import luciola.meta.namespace.quota.UsageCount;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Requests;
import luciola.meta.namespace.tree.Sessions;
import luciola.meta.namespace.tree.Staged;
import luciola.meta.namespace.tree.Tree;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.routing.ChainTable;

/**
 * The namespace. Reads are answered from a view at once; changes are applied in the order of the
 * log. The same log gives the same state and the same replies everywhere.
 *
 * <p>An operation that is refused changes nothing but the memory of its reply. A refusal is a reply
 * with a code; an exception out of here means broken state, and the process must not go on.
 */
public final class Namespace {
  private Namespace() {}

  /** Makes the root directory where there is none. Anyone may make entries in it, as in /tmp. */
  public static void format(Staged staged, long nowNanos) {
    Tree tree = Tree.changing(staged);
    if (tree.inode(Tree.ROOT).isEmpty()) {
      tree.put(
          Inode.newBuilder()
              .setId(tree.newInode())
              .setType(InodeType.INODE_TYPE_DIRECTORY)
              .setMode(0777 | Permissions.STICKY)
              .setAccessedNanos(nowNanos)
              .setModifiedNanos(nowNanos)
              .setChangedNanos(nowNanos)
              .setNlink(2)
              .setParent(Tree.ROOT)
              .build());
    }
  }

  /** Whether a request changes anything and so has to go through the log. */
  public static boolean isChange(NamespaceRequest request) {
    return switch (request.getOperationCase()) {
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
          false;
      case OPEN ->
          request.getOpen().getWrite()
              || request.getOpen().getTruncate()
              || request.getOpen().getKeep();
      case SET_ATTRIBUTES,
          CREATE,
          MAKE_DIRECTORY,
          MAKE_SYMLINK,
          MAKE_LINK,
          MAKE_NODE,
          UNLINK,
          REMOVE_DIRECTORY,
          REMOVE_TREE,
          RENAME,
          CLOSE,
          PUBLISH_LENGTH,
          HOLD_LENGTH,
          TRUNCATE,
          TAKE_GARBAGE,
          DROP_GARBAGE,
          SET_EXTENDED,
          REMOVE_EXTENDED,
          SET_LOCK,
          RELEASE_LOCKS,
          SET_QUOTA,
          REMOVE_QUOTA ->
          true;
    };
  }

  /** Answers a request that changes nothing. */
  public static NamespaceReply read(NamespaceRequest request, KeyValueView view) {
    try {
      return new Reading(Tree.reading(view), request.getIdentity(), request.getClientId())
          .answer(request)
          .setSequence(request.getSequence())
          .build();
    } catch (Refusal refusal) {
      return refused(request, refusal);
    }
  }

  /**
   * Applies a change.
   *
   * @param nowNanos time of the command since 1970; one that is not later than that of the last
   *     change counts as the moment after it
   * @param table the chain table that new files get; empty if there is none yet
   * @param staged the state with everything before; the change is added to it
   */
  public static NamespaceReply apply(
      NamespaceRequest request, long nowNanos, Optional<ChainTable> table, Staged staged) {
    boolean remembered = request.getClientId() != 0 && request.getSequence() != 0;
    var requests = new Requests(staged);
    long dropped = 0;
    if (remembered) {
      Optional<NamespaceReply> first = requests.find(request.getClientId(), request.getSequence());
      if (first.isPresent()) {
        return first.get();
      }
      dropped = requests.dropped(request.getClientId());
      if (request.getSequence() <= dropped) {
        return refused(
            request,
            new Refusal(
                ErrorCode.CANCELLED,
                "sent again after its reply was acknowledged: sequence=" + request.getSequence()));
      }
    }
    NamespaceReply reply = changed(request, nowNanos, table, staged);
    if (remembered && reply.getCode() != ErrorCode.CHUNK_BUSY.number()) {
      // A refusal for a moment is not remembered: the client asks again with the same sequence.
      requests.remember(
          request.getClientId(),
          request.getSequence(),
          request.getAcknowledgedSequence(),
          dropped,
          reply);
    }
    return reply;
  }

  private static NamespaceReply changed(
      NamespaceRequest request, long nowNanos, Optional<ChainTable> table, Staged staged) {
    try {
      var own = new Staged(staged);
      Tree tree = Tree.changing(own);
      var operation =
          new Operation(
              tree, request.getIdentity(), request.getClientId(), advance(tree, nowNanos), table);
      NamespaceReply.Builder reply = operation.apply(request);
      tree.usages().requireWithin();
      tellBytesLeft(request, tree, reply);
      own.copyTo(staged);
      return reply.setSequence(request.getSequence()).build();
    } catch (Refusal refusal) {
      return refused(request, refusal);
    }
  }

  /** Who writes a file learns how far its quotas let it. */
  private static void tellBytesLeft(
      NamespaceRequest request, Tree tree, NamespaceReply.Builder reply) {
    boolean writes =
        switch (request.getOperationCase()) {
          case OPEN, CREATE -> reply.getOpen().getSession() != 0 && !request.getOpen().getKeep();
          case PUBLISH_LENGTH, TRUNCATE -> true;
          default -> false;
        };
    if (writes && tree.usages().isKept()) {
      tree.usages()
          .bytesLeft(reply.getInode())
          .ifPresent(left -> reply.getInodeBuilder().setBytesLeft(left));
    }
  }

  private static long advance(Tree tree, long nowNanos) {
    NamespaceCounters.Builder counters = tree.counters();
    long now = Math.max(nowNanos, counters.getNowNanos() + 1);
    tree.count(counters.setNowNanos(now));
    return now;
  }

  /**
   * Ends the sessions and locks and forgets the requests of clients that were not heard of for too
   * long.
   */
  public static void expire(List<Long> clients, long nowNanos, Staged staged) {
    Tree tree = Tree.changing(staged);
    advance(tree, nowNanos);
    Set<Long> gone = ImmutableSet.copyOf(clients);
    for (Sessions.Key session : tree.sessions().all()) {
      if (gone.contains(session.client())) {
        CloseChange.lost(tree, session);
      }
    }
    LockChange.expire(tree, clients);
    var requests = new Requests(staged);
    clients.forEach(requests::forget);
  }

  /** Counts some more of what was there before the first quota. */
  public static void countUsage(CountUsage asked, Staged staged) {
    UsageCount.step(Tree.changing(staged), asked.getNames());
  }

  /** Whether {@link #countUsage} has anything to do. */
  public static boolean isLeftToCount(KeyValueView view) {
    return UsageCount.isLeft(Tree.reading(view));
  }

  /** Puts right what a check has found, as far as it is still wrong. */
  public static RepairNamespaceReply repair(
      RepairNamespaceRequest request, long nowNanos, Staged staged) {
    Tree tree = Tree.changing(staged);
    return RepairChange.apply(request, advance(tree, nowNanos), tree);
  }

  private static NamespaceReply refused(NamespaceRequest request, Refusal refusal) {
    return NamespaceReply.newBuilder()
        .setSequence(request.getSequence())
        .setCode(refusal.code().number())
        .setMessage(
            request.getOperationCase().name().toLowerCase(java.util.Locale.ROOT)
                + ": "
                + refusal.reason())
        .build();
  }
}
