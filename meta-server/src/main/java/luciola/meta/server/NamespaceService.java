package luciola.meta.server;

import com.google.protobuf.TextFormat;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.GarbageResult;
import luciola.grpc.v1.NamespaceGrpc;
import luciola.grpc.v1.NamespaceReplies;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.NamespaceRequests;
import luciola.meta.access.AccessRules;
import luciola.meta.access.Caller;
import luciola.meta.access.Grants;
import luciola.meta.access.UserRates;
import luciola.meta.cluster.GarbageTurn;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.Namespace;
import luciola.meta.store.RocksStore;
import luciola.protocol.audit.AuditLine;
import luciola.protocol.audit.AuditLog;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The namespace's calls. Runs on the network's threads: changes go to the log; short reads are
 * answered at once (a few lookups in the block cache), long ones on a bounded pool.
 */
final class NamespaceService extends NamespaceGrpc.NamespaceImplBase {
  private static final int MESSAGE_REQUESTS_MAX = 4_096;

  private final MetaLog log;
  private final RocksStore store;
  private final ClusterDriver driver;
  private final Executor longReads;
  private final int streamRequestsMax;
  private final LockDesk locks;
  private final TicketDesk tickets;
  private final UserRates rates;
  private final AuditLog audit;
  private final GarbageTurn garbage;

  NamespaceService(
      MetaLog log,
      RocksStore store,
      ClusterDriver driver,
      Executor longReads,
      int streamRequestsMax,
      TicketDesk tickets,
      UserRates rates,
      AuditLog audit) {
    this.log = log;
    this.store = store;
    this.driver = driver;
    this.longReads = longReads;
    this.streamRequestsMax = streamRequestsMax;
    this.locks = new LockDesk(store);
    driver.whenExpired(locks::freed);
    this.tickets = tickets;
    this.rates = rates;
    this.audit = audit;
    this.garbage = new GarbageTurn(driver.clientLeaseNanos());
  }

  @Override
  public void call(NamespaceRequest request, StreamObserver<NamespaceReply> observer) {
    Answers.send(answer(request, AccessGate.session()), observer, fault -> failed(request, fault));
  }

  @Override
  public StreamObserver<NamespaceRequests> calls(StreamObserver<NamespaceReplies> observer) {
    return new Requests(
        new ReplyStream((ServerCallStreamObserver<NamespaceReplies>) observer, streamRequestsMax),
        AccessGate.session());
  }

  /** One client's stream. */
  private final class Requests implements StreamObserver<NamespaceRequests> {
    private final ReplyStream replies;
    private final AccessGate.Session session;

    Requests(ReplyStream replies, AccessGate.Session session) {
      this.replies = replies;
      this.session = session;
    }

    @Override
    public void onNext(NamespaceRequests message) {
      if (message.getRequestsCount() > MESSAGE_REQUESTS_MAX) {
        replies.refuse(
            "requests in a message: "
                + message.getRequestsCount()
                + " max="
                + MESSAGE_REQUESTS_MAX);
        return;
      }
      replies.began(message.getRequestsCount());
      Together.run(() -> message.getRequestsList().forEach(this::take));
    }

    private void take(NamespaceRequest request) {
      var _ =
          answer(request, session)
              .handle((reply, failure) -> {
                replies.add(failure == null ? reply : failed(request, Answers.fault(failure)));
                return true;
              });
    }

    @Override
    public void onError(Throwable gone) {
      // The client is gone; what is under way is finished and not answered.
    }

    @Override
    public void onCompleted() {
      replies.ended();
    }
  }

  private CompletableFuture<NamespaceReply> answer(
      NamespaceRequest request, AccessGate.Session session) {
    if (request.getAnyMember() && isPlainRead(request) && !log.leads()) {
      // Users and tokens are looked at after the fence, too: before it they may be old here.
      return log.followersFence()
          .thenCompose(_ -> answer(request, session, NamespaceService::passed));
    }
    return answer(request, session, log::fence);
  }

  /** Who asks is looked at with every request: a token may be revoked while its stream is open. */
  private CompletableFuture<NamespaceReply> answer(
      NamespaceRequest request,
      AccessGate.Session session,
      Supplier<CompletableFuture<Void>> fence) {
    try {
      Caller caller = session.caller();
      NamespaceRequest named = AccessRules.named(caller, request);
      if (caller instanceof Caller.Anyone) {
        return answer(named, fence);
      }
      if (!request.hasRenewSessions()
          && caller instanceof Caller.Member
          && !rates.admit(Grants.userOf(caller), System.nanoTime())) {
        throw new LuciolaException(ErrorCode.OVERLOADED, "too many operations: " + caller.name());
      }
      return answer(named, fence)
          .thenApply(reply -> {
            record(session, request, ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
            return tickets.granted(caller, named, reply);
          });
    } catch (LuciolaException refused) {
      record(session, request, refused.code(), refused.detail());
      return CompletableFuture.failedFuture(refused);
    }
  }

  /** What was denied is written down, and whoever sets quotas. */
  private void record(
      AccessGate.Session session, NamespaceRequest request, ErrorCode code, String reason) {
    if (code == ErrorCode.UNAUTHENTICATED
        || code == ErrorCode.PERMISSION_DENIED
        || code == ErrorCode.NOT_PERMITTED
        || request.hasSetQuota()
        || request.hasRemoveQuota()) {
      audit.write(
          new AuditLine()
              .with("event", code == ErrorCode.OK ? "quota" : "denied")
              .with("shown", session.shown())
              .with("peer", session.peer())
              .with("call", request.getOperationCase())
              .with("asked", asked(request))
              .with("code", code)
              .with("reason", reason));
    }
  }

  private static String asked(NamespaceRequest request) {
    return request.hasSetQuota()
        ? TextFormat.printer().emittingSingleLine(true).printToString(request.getSetQuota())
        : request.hasRemoveQuota()
            ? TextFormat.printer().emittingSingleLine(true).printToString(request.getRemoveQuota())
            : "";
  }

  private CompletableFuture<NamespaceReply> answer(
      NamespaceRequest request, Supplier<CompletableFuture<Void>> newFence) {
    boolean leased = driver.heard(request.getClientId());
    garbage.heard(request.getClientId(), System.nanoTime());
    if (request.hasTakeGarbage() || request.hasDropGarbage()) {
      return collected(request);
    }
    if (Namespace.isChange(request)) {
      return log.submit(Command.newBuilder().setNamespace(request).build())
          .thenApply(CommandReply::getNamespace)
          .whenComplete((_, _) -> {
            locks.changed(request);
            if (request.hasSetQuota() || request.hasRemoveQuota()) {
              driver.countUsage();
            }
          });
    }
    CompletableFuture<Void> fence = newFence.get();
    switch (request.getOperationCase()) {
      case AWAIT_LOCK -> {
        return fence.thenCompose(_ -> locks.await(request));
      }
      case CANCEL_AWAIT -> {
        return fence.thenApply(_ -> {
          locks.cancel(request);
          return read(request);
        });
      }
      case RENEW_SESSIONS -> {
        return fence.thenApply(_ -> renewed(request, leased));
      }
      default -> {}
    }
    return isShort(request)
        ? fence.thenApply(_ -> read(request))
        : fence.thenCompose(_ -> onPool(request));
  }

  /** One collector at a time removes garbage; others are told so, without the log. */
  private CompletableFuture<NamespaceReply> collected(NamespaceRequest request) {
    long client = request.getClientId();
    if (request.hasTakeGarbage() && log.leads() && !garbage.begins(client, System.nanoTime())) {
      return CompletableFuture.completedFuture(
          NamespaceReply.newBuilder()
              .setSequence(request.getSequence())
              .setGarbage(GarbageResult.newBuilder().setOthersTurn(true))
              .build());
    }
    return log.submit(Command.newBuilder().setNamespace(request).build())
        .thenApply(CommandReply::getNamespace)
        .thenApply(reply -> {
          if (reply.getGarbage().getInodesCount() == 0) {
            garbage.ends(client);
          }
          return reply;
        });
  }

  private NamespaceReply renewed(NamespaceRequest request, boolean leased) {
    if (!leased) {
      throw new LuciolaException(
          ErrorCode.OVERLOADED, "renew sessions: the client's lease is being ended");
    }
    NamespaceReply.Builder reply = read(request).toBuilder();
    reply.getSessionsBuilder().setLeaseNanos(driver.clientLeaseNanos());
    return reply.build();
  }

  private CompletableFuture<NamespaceReply> onPool(NamespaceRequest request) {
    try {
      return CompletableFuture.supplyAsync(() -> read(request), longReads);
    } catch (RejectedExecutionException full) {
      return CompletableFuture.failedFuture(
          new LuciolaException(ErrorCode.OVERLOADED, "read: too many reads wait"));
    }
  }

  private NamespaceReply read(NamespaceRequest request) {
    return isShort(request)
        ? store.readShortly(view -> Namespace.read(request, view))
        : store.read(view -> Namespace.read(request, view));
  }

  /**
   * Whether nothing but the state is needed: the leader alone keeps who waits and who was heard.
   */
  private static boolean isPlainRead(NamespaceRequest request) {
    return !Namespace.isChange(request)
        && !request.hasAwaitLock()
        && !request.hasCancelAwait()
        && !request.hasRenewSessions();
  }

  private static CompletableFuture<Void> passed() {
    return CompletableFuture.completedFuture(null);
  }

  private static boolean isShort(NamespaceRequest request) {
    return switch (request.getOperationCase()) {
      case LOOKUP,
          GET_ATTRIBUTES,
          OPEN,
          READ_LINK,
          STAT_FS,
          RENEW_SESSIONS,
          TEST_LOCK,
          AWAIT_LOCK,
          CANCEL_AWAIT,
          SHOW_QUOTA,
          OPERATION_NOT_SET ->
          true;
      case LIST,
          BATCH_GET_ATTRIBUTES,
          TREE_USAGE,
          SET_ATTRIBUTES,
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
          GET_EXTENDED,
          LIST_EXTENDED,
          SET_EXTENDED,
          REMOVE_EXTENDED,
          SET_LOCK,
          RELEASE_LOCKS,
          SET_QUOTA,
          REMOVE_QUOTA,
          LIST_QUOTAS ->
          false;
    };
  }

  private NamespaceReply failed(NamespaceRequest request, LuciolaException fault) {
    return NamespaceReply.newBuilder()
        .setSequence(request.getSequence())
        .setCode(fault.code().number())
        .setMessage(String.valueOf(fault.getMessage()))
        .setLeader(log.leader().map(Member::serviceAddress).orElse(""))
        .build();
  }
}
