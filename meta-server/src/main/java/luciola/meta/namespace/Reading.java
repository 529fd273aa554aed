package luciola.meta.namespace;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.List;
import luciola.grpc.v1.At;
import luciola.grpc.v1.BatchAttributes;
import luciola.grpc.v1.BatchGetAttributes;
import luciola.grpc.v1.Entry;
import luciola.grpc.v1.ExtendedNames;
import luciola.grpc.v1.ExtendedValue;
import luciola.grpc.v1.GetExtended;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.ListExtended;
import luciola.grpc.v1.ListQuotas;
import luciola.grpc.v1.ListResult;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.OpenResult;
import luciola.grpc.v1.Quota;
import luciola.grpc.v1.QuotaList;
import luciola.grpc.v1.SessionsRenewed;
import luciola.grpc.v1.StatFs;
import luciola.grpc.v1.StatFsResult;
import luciola.grpc.v1.UsageResult;
import luciola.meta.namespace.change.OpenChange;
import luciola.meta.namespace.lock.LockChange;
import luciola.meta.namespace.quota.QuotaReading;
import luciola.meta.namespace.tree.Extended;
import luciola.meta.namespace.tree.Permissions;
import luciola.meta.namespace.tree.Refusal;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.namespace.tree.Walk;
import luciola.protocol.error.ErrorCode;

/** The operations that change nothing. Access times are not kept up by reads. */
record Reading(Tree tree, Identity who, long client) {
  private static final int PAGE_DEFAULT = 1_000;
  private static final int PAGE_MAX = 4_096;
  private static final int BATCH_MAX = 10_000;

  NamespaceReply.Builder answer(NamespaceRequest request) {
    return switch (request.getOperationCase()) {
      case LOOKUP -> reply(at(request.getLookup().getAt(), request.getLookup().getFollow()));
      case GET_ATTRIBUTES -> reply(byNumber(request.getGetAttributes().getInode()));
      case OPEN -> open(at(request.getOpen().getAt(), true));
      case LIST -> list(request.getList());
      case READ_LINK -> readLink(at(request.getReadLink().getAt(), false));
      case STAT_FS -> statFs(request.getStatFs());
      case SHOW_QUOTA -> quotas(at(request.getShowQuota().getAt(), true));
      case LIST_QUOTAS -> allQuotas(request.getListQuotas());
      case BATCH_GET_ATTRIBUTES -> batch(request.getBatchGetAttributes());
      case TREE_USAGE -> usage(at(request.getTreeUsage().getAt(), false));
      case GET_EXTENDED -> extended(request.getGetExtended());
      case LIST_EXTENDED -> extendedNames(request.getListExtended());
      case TEST_LOCK -> LockChange.test(tree, who, client, request.getTestLock().getLock());
      case AWAIT_LOCK -> LockChange.test(tree, who, client, request.getAwaitLock().getLock());
      // The leader keeps who waits.
      case CANCEL_AWAIT -> NamespaceReply.newBuilder();
      // The leader keeps who was heard of.
      case RENEW_SESSIONS ->
          NamespaceReply.newBuilder()
              .setSessions(
                  SessionsRenewed.newBuilder().setLockSession(tree.locks().session(client)));
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
          throw new Refusal(ErrorCode.INVALID_ARGUMENT, "a change cannot be read");
      case OPERATION_NOT_SET ->
          throw new Refusal(ErrorCode.UNSUPPORTED, "no operation, or one of a newer client");
    };
  }

  private static NamespaceReply.Builder reply(Inode inode) {
    return NamespaceReply.newBuilder().setInode(inode);
  }

  private Inode at(At at, boolean follow) {
    return new Walk(tree, who).inode(at, follow);
  }

  private Inode byNumber(long id) {
    return tree.inode(id).orElseThrow(() -> new Refusal(ErrorCode.NOT_FOUND, "inode=" + id));
  }

  private NamespaceReply.Builder open(Inode inode) {
    OpenChange.requireBytes(inode);
    Permissions.require(inode, who, Permissions.READ);
    return reply(inode).setOpen(OpenResult.getDefaultInstance());
  }

  private NamespaceReply.Builder list(luciola.grpc.v1.List asked) {
    Inode directory = at(asked.getAt(), true);
    requireDirectory(directory);
    Permissions.require(directory, who, Permissions.READ);
    int limit = asked.getLimit() <= 0 ? PAGE_DEFAULT : Math.min(asked.getLimit(), PAGE_MAX);
    List<Tree.Name> names = tree.names(directory.getId(), asked.getAfter(), limit + 1);
    ListResult.Builder result = ListResult.newBuilder().setMore(names.size() > limit);
    names.stream()
        .limit(limit)
        .forEach(name ->
            result.addEntries(
                Entry.newBuilder().setName(name.name()).setInode(tree.namedInode(name.inode()))));
    return reply(directory).setList(result);
  }

  private static void requireDirectory(Inode inode) {
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_DIRECTORY,
        ErrorCode.NOT_A_DIRECTORY,
        "inode=" + inode.getId());
  }

  private NamespaceReply.Builder readLink(Inode inode) {
    Refusal.unless(
        inode.getType() == InodeType.INODE_TYPE_SYMLINK,
        ErrorCode.INVALID_ARGUMENT,
        "not a symbolic link: inode=" + inode.getId());
    return reply(inode);
  }

  private NamespaceReply.Builder extended(GetExtended asked) {
    Inode inode = at(asked.getAt(), asked.getFollow());
    Extended.requireRead(inode, who, asked.getName());
    ByteString value =
        tree.extended()
            .value(inode.getId(), asked.getName())
            .orElseThrow(() ->
                new Refusal(ErrorCode.NO_ATTRIBUTE, Extended.missing(inode, asked.getName())));
    return reply(inode).setExtendedValue(ExtendedValue.newBuilder().setValue(value));
  }

  private NamespaceReply.Builder extendedNames(ListExtended asked) {
    Inode inode = at(asked.getAt(), asked.getFollow());
    ExtendedNames.Builder names = ExtendedNames.newBuilder();
    if (inode.getExtendedNameBytes() > 0) {
      tree.extended().names(inode.getId()).stream()
          .filter(name -> Extended.isShown(who, name))
          .forEach(names::addNames);
    }
    return reply(inode).setExtendedNames(names);
  }

  private NamespaceReply.Builder statFs(StatFs asked) {
    StatFsResult.Builder result = StatFsResult.newBuilder().setInodes(tree.counters().getInodes());
    if (asked.hasAt()) {
      new QuotaReading(tree).tightest(at(asked.getAt(), false)).ifPresent(result::setQuota);
    }
    return NamespaceReply.newBuilder().setStatFs(result);
  }

  private NamespaceReply.Builder quotas(Inode inode) {
    return reply(inode)
        .setQuotas(QuotaList.newBuilder().addAllQuotas(new QuotaReading(tree).of(inode)));
  }

  private NamespaceReply.Builder allQuotas(ListQuotas asked) {
    Refusal.unless(who.getUid() == 0, ErrorCode.NOT_PERMITTED, "quotas are listed by user 0 only");
    int limit = asked.getLimit() <= 0 ? PAGE_DEFAULT : Math.min(asked.getLimit(), PAGE_MAX);
    List<Quota> quotas = new QuotaReading(tree).after(asked.getAfter(), limit + 1);
    return NamespaceReply.newBuilder()
        .setQuotas(
            QuotaList.newBuilder()
                .addAllQuotas(quotas.subList(0, Math.min(limit, quotas.size())))
                .setMore(quotas.size() > limit));
  }

  private NamespaceReply.Builder batch(BatchGetAttributes asked) {
    Refusal.unless(
        asked.getAtCount() <= BATCH_MAX,
        ErrorCode.INVALID_ARGUMENT,
        "too many in a batch: asked=" + asked.getAtCount() + " max=" + BATCH_MAX);
    BatchAttributes.Builder result = BatchAttributes.newBuilder();
    for (At at : asked.getAtList()) {
      result.addInodes(attributes(at, asked.getFollow()));
    }
    return NamespaceReply.newBuilder().setBatch(result);
  }

  private Inode attributes(At at, boolean follow) {
    try {
      return at(at, follow);
    } catch (Refusal missing) {
      return Inode.getDefaultInstance();
    }
  }

  private NamespaceReply.Builder usage(Inode top) {
    UsageResult.Builder usage = UsageResult.newBuilder();
    var todo = new ArrayDeque<Long>();
    add(usage, todo, top);
    while (!todo.isEmpty()) {
      long directory = todo.removeLast();
      ByteString after = ByteString.EMPTY;
      List<Tree.Name> names;
      do {
        names = tree.names(directory, after, PAGE_DEFAULT);
        for (Tree.Name name : names) {
          // A file may have gone meanwhile where the view is not a snapshot.
          tree.inode(name.inode()).ifPresent(inode -> add(usage, todo, inode));
          after = name.name();
        }
      } while (names.size() == PAGE_DEFAULT);
    }
    return reply(top).setUsage(usage);
  }

  private static void add(UsageResult.Builder usage, ArrayDeque<Long> todo, Inode inode) {
    if (inode.getType() == InodeType.INODE_TYPE_DIRECTORY) {
      usage.setDirectories(usage.getDirectories() + 1);
      todo.addLast(inode.getId());
    } else {
      usage.setFiles(usage.getFiles() + 1);
      usage.setBytes(usage.getBytes() + inode.getLength());
    }
  }
}
