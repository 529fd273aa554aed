package luciola.protocol.control;

import io.grpc.ManagedChannel;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessGrpc;
import luciola.grpc.v1.AdminGrpc;
import luciola.grpc.v1.ChangeAccessReply;
import luciola.grpc.v1.CheckNamespaceReply;
import luciola.grpc.v1.CheckNamespaceRequest;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.CreateChainsReply;
import luciola.grpc.v1.CreateChainsRequest;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.ListAccessReply;
import luciola.grpc.v1.ListAccessRequest;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.OperateReply;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.RegisterReply;
import luciola.grpc.v1.RegisterRequest;
import luciola.grpc.v1.RenewAccessReply;
import luciola.grpc.v1.RenewAccessRequest;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.grpc.v1.RoutingRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.StatusRequest;
import luciola.protocol.control.LeaderCalls.Outcome;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import org.jspecify.annotations.Nullable;

/**
 * Calls to the meta-servers of one cluster. Methods block and may be used by any number of threads,
 * best virtual ones: namespace calls of all of them share one stream to the leader. A lost leader
 * is searched for and the call repeated, until the call's deadline; one that keeps a call waiting
 * is left as soon as another one leads. A change that was done the first time is not done again,
 * because the sequence stays the same.
 *
 * <p>Errors that a repetition does not mend are raised as {@link LuciolaException} with the code
 * that the server answered.
 */
public final class MetaConnection implements AutoCloseable {
  /** A member that answers no read by then is passed over for a while. */
  private static final long ANYWHERE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Waits for locks are long as such. */
  private static final long LOCK_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final MetaOptions options;
  private final LeaderSearch leaders;
  private final LeaderDoubt doubt;
  private final LeaderCalls calls;
  private final CallLedger ledger = new CallLedger();
  private final Semaphore inFlight;
  private final Wallet wallet = new Wallet(this);
  private volatile @Nullable ClusterId cluster;

  private MetaConnection(MetaOptions options) {
    this.options = options;
    this.leaders = new LeaderSearch(options.addresses(), options.access());
    this.doubt =
        new LeaderDoubt(
            leaders,
            answered -> {
              ClusterId known = cluster;
              return known == null || known.equals(answered);
            });
    this.calls = new LeaderCalls(options, leaders, doubt);
    this.inFlight = new Semaphore(options.callsMax());
    this.cluster = options.cluster().orElse(null);
  }

  /**
   * Connects: returns when a meta-server has answered which cluster it is.
   *
   * @throws LuciolaException WRONG_CLUSTER if it is not the one asked for; CONNECTION_LOST or
   *     TIMED_OUT if none answers in time
   */
  public static MetaConnection connect(MetaOptions options) {
    MetaConnection connection = new MetaConnection(options);
    try {
      connection.identify();
      return connection;
    } catch (RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** The number of this caller. */
  public ClientId client() {
    return options.client();
  }

  /** The cluster that answers. */
  public ClusterId cluster() {
    ClusterId known = cluster;
    if (known == null) {
      throw new IllegalStateException("not connected");
    }
    return known;
  }

  private void identify() {
    calls.repeat(
        "connect",
        options.callNanos(),
        (endpoint, attemptNanos) -> {
          ClusterId answered = doubt.whileWaiting(endpoint, () -> endpoint.identify(attemptNanos));
          checkCluster(endpoint.address(), answered);
          return Outcome.done(true);
        });
  }

  private void checkCluster(String address, ClusterId answered) {
    ClusterId expected = cluster;
    if (expected == null) {
      cluster = answered;
    } else if (!expected.equals(answered)) {
      throw new LuciolaException(
          ErrorCode.WRONG_CLUSTER,
          "meta=" + address + " belongs to cluster=" + answered + " expected=" + expected);
    }
  }

  /**
   * One namespace operation.
   *
   * @param request with its operation and identity; client, sequence and acknowledgement are set
   *     here
   * @return the reply, whose code is OK
   */
  public NamespaceReply call(NamespaceRequest.Builder request) {
    String operation = request.getOperationCase().name().toLowerCase(Locale.ROOT);
    long sequence = begin(operation);
    if (request.hasAwaitLock()) {
      // It waits long, changes nothing and is not remembered: replies to others may be forgotten.
      ledger.end(sequence);
    }
    try {
      request.setClientId(options.client().value()).setSequence(sequence);
      @Nullable NamespaceReply answered = options.readsAnywhere() ? anywhere(request) : null;
      NamespaceReply done =
          answered != null
              ? answered
              : calls.repeat(
                  operation,
                  options.callNanos(),
                  (endpoint, attemptNanos) -> {
                    NamespaceReply reply = attempt(endpoint, request, attemptNanos, true);
                    return Outcome.of(
                        reply, reply.getCode(), reply.getMessage(), reply.getLeader());
                  });
      wallet.learned(done.getCapabilitiesList());
      return done;
    } finally {
      ledger.end(sequence);
      inFlight.release();
    }
  }

  /** The answer of whichever member's turn it is; null if it has none: then the leader is asked. */
  private @Nullable NamespaceReply anywhere(NamespaceRequest.Builder request) {
    switch (request.getOperationCase()) {
      case LOOKUP, GET_ATTRIBUTES, LIST, READ_LINK, STAT_FS, GET_EXTENDED, LIST_EXTENDED -> {}
      // Changes, and what only the leader keeps; what reads much takes longer than the wait here.
      default -> {
        return null;
      }
    }
    MetaEndpoint endpoint = leaders.next();
    try {
      request.setAnyMember(true);
      NamespaceReply reply =
          attempt(endpoint, request, Math.min(options.attemptNanos(), ANYWHERE_NANOS), false);
      switch (ErrorCode.ofNumber(reply.getCode()).action()) {
        case PROCEED -> {
          return reply;
        }
        case GIVE_UP, STOP, OTHER_REPLICA ->
            throw new LuciolaException(ErrorCode.ofNumber(reply.getCode()), reply.getMessage());
        case RETRY, REFRESH_ROUTING, FIND_LEADER -> leaders.avoid(endpoint);
      }
    } catch (LuciolaException e) {
      switch (e.code().action()) {
        case PROCEED, GIVE_UP, STOP, OTHER_REPLICA -> throw e;
        case RETRY, REFRESH_ROUTING, FIND_LEADER -> leaders.avoid(endpoint);
      }
    } finally {
      request.clearAnyMember();
    }
    return null;
  }

  private long begin(String operation) {
    try {
      long startNanos = System.nanoTime();
      if (!inFlight.tryAcquire(options.callNanos(), TimeUnit.NANOSECONDS)) {
        throw new LuciolaException(
            ErrorCode.OVERLOADED, operation + ": callsMax=" + options.callsMax());
      }
      boolean begun = false;
      try {
        long sequence = ledger.begin(options.callNanos() - (System.nanoTime() - startNanos));
        begun = true;
        return sequence;
      } finally {
        if (!begun) {
          inFlight.release();
        }
      }
    } catch (InterruptedException e) {
      throw LeaderCalls.interrupted(operation, e);
    }
  }

  private NamespaceReply attempt(
      MetaEndpoint endpoint,
      NamespaceRequest.Builder request,
      long attemptNanos,
      boolean givesUpTheSilent) {
    NamespaceStream stream = stream(endpoint, request, attemptNanos);
    long sentNanos = System.nanoTime();
    NamespaceRequest sent = request.setAcknowledgedSequence(ledger.acknowledged()).build();
    try {
      return awaited(endpoint, sent, stream.send(sent), sentNanos + attemptNanos);
    } catch (TimeoutException e) {
      stream.forget(sent.getSequence());
      if (givesUpTheSilent && stream.lastReplyNanos() - sentNanos < 0) {
        leaders.silent(endpoint);
      }
      throw new LuciolaException(
          ErrorCode.TIMED_OUT, "meta=" + endpoint.address() + " attemptNanos=" + attemptNanos, e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof LuciolaException fault
          ? fault
          : new LuciolaException(ErrorCode.INTERNAL, "meta=" + endpoint.address(), e.getCause());
    } catch (InterruptedException e) {
      stream.forget(sent.getSequence());
      throw LeaderCalls.interrupted("namespace call", e);
    }
  }

  private NamespaceStream stream(
      MetaEndpoint endpoint, NamespaceRequest.Builder request, long attemptNanos) {
    // A wait for a lock and its end go one way.
    boolean ordered = request.hasAwaitLock() || request.hasCancelAwait();
    Supplier<NamespaceStream> stream =
        () -> endpoint.stream(attemptNanos, this::checkCluster, ordered);
    return endpoint.connected() ? stream.get() : doubt.whileWaiting(endpoint, stream);
  }

  private NamespaceReply awaited(
      MetaEndpoint endpoint,
      NamespaceRequest sent,
      CompletableFuture<NamespaceReply> reply,
      long deadlineNanos)
      throws InterruptedException, ExecutionException, TimeoutException {
    long patience = sent.hasAwaitLock() ? LOCK_PATIENCE_NANOS : LeaderDoubt.PATIENCE_NANOS;
    while (true) {
      long left = deadlineNanos - System.nanoTime();
      try {
        return reply.get(Math.min(left, patience), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        if (left <= patience) {
          throw e;
        }
        doubt.about(endpoint);
        patience = sent.hasAwaitLock() ? LOCK_PATIENCE_NANOS : LeaderDoubt.AGAIN_NANOS;
      }
    }
  }

  /** A storage-server makes itself known. */
  public RegisterReply register(RegisterRequest request) {
    return calls.unary(
        "register",
        options.callNanos(),
        (channel, nanos) -> {
          RegisterReply reply = cluster(channel, nanos).register(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /**
   * A storage-server reports.
   *
   * @param timeoutNanos for all attempts; the lease in the reply may be counted from before this
   *     call
   */
  public HeartbeatReply heartbeat(HeartbeatRequest request, long timeoutNanos) {
    return calls.unary(
        "heartbeat",
        timeoutNanos,
        (channel, nanos) -> {
          HeartbeatReply reply = cluster(channel, nanos).heartbeat(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Routing newer than what the request names, now. */
  public RoutingUpdate routing(RoutingRequest request) {
    return calls.unary(
        "get routing",
        options.callNanos(),
        (channel, nanos) -> {
          RoutingUpdate reply = cluster(channel, nanos).getRouting(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Everything operators see. */
  public StatusReply status() {
    return calls.unary(
        "status",
        options.callNanos(),
        (channel, nanos) -> {
          StatusReply reply = admin(channel, nanos).status(StatusRequest.getDefaultInstance());
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Makes chains over the registered targets and a table of them. */
  public CreateTableReply createTable(CreateTableRequest request) {
    return calls.unary(
        "create table",
        options.callNanos(),
        (channel, nanos) -> {
          CreateTableReply reply = admin(channel, nanos).createTable(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Makes single chains, and if asked a table with them. */
  public CreateChainsReply createChains(CreateChainsRequest request) {
    return calls.unary(
        "create chain",
        options.callNanos(),
        (channel, nanos) -> {
          CreateChainsReply reply = admin(channel, nanos).createChains(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Changes where replicas are, what takes part and how; or says what would be done. */
  public OperateReply operate(OperateRequest request) {
    return calls.unary(
        "operate",
        options.callNanos(),
        (channel, nanos) -> {
          OperateReply reply = admin(channel, nanos).operate(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /**
   * Checks the namespace; takes minutes where there are millions of inodes.
   *
   * @param timeoutNanos for all attempts
   * @param progress is told how far it is; begins again if the leader is lost
   * @return the sums, with every finding that was sent
   */
  public CheckNamespaceReply checkNamespace(
      CheckNamespaceRequest request, long timeoutNanos, Consumer<CheckNamespaceReply> progress) {
    return calls.unary(
        "check namespace",
        timeoutNanos,
        (channel, _) -> {
          CheckNamespaceReply.Builder all = CheckNamespaceReply.newBuilder();
          Iterator<CheckNamespaceReply> replies =
              admin(channel, timeoutNanos).checkNamespace(request);
          while (replies.hasNext()) {
            CheckNamespaceReply reply = replies.next();
            all.mergeFrom(reply);
            progress.accept(reply);
          }
          boolean whole = all.getDone() || all.getCode() != ErrorCode.OK.number();
          CheckNamespaceReply checked = all.build();
          return whole
              ? Outcome.of(checked, checked.getCode(), checked.getMessage(), checked.getLeader())
              : Outcome.of(checked, ErrorCode.CONNECTION_LOST.number(), "the check broke off", "");
        });
  }

  /** Repairs what a check has found, as far as it is still wrong. */
  public RepairNamespaceReply repairNamespace(RepairNamespaceRequest request) {
    return calls.unary(
        "repair namespace",
        options.callNanos(),
        (channel, nanos) -> {
          RepairNamespaceReply reply = admin(channel, nanos).repairNamespace(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** What is known of inodes by their numbers. */
  public InspectInodesReply inspectInodes(InspectInodesRequest request) {
    return calls.unary(
        "inspect inodes",
        options.callNanos(),
        (channel, nanos) -> {
          InspectInodesReply reply = admin(channel, nanos).inspectInodes(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** What this caller shows to storage-servers; to be started by who calls them. */
  public Wallet wallet() {
    return wallet;
  }

  RenewAccessReply renewAccess(RenewAccessRequest request) {
    return calls.unary(
        "renew access",
        options.callNanos(),
        (channel, nanos) -> {
          RenewAccessReply reply = access(channel, nanos).renew(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Users and tokens. */
  public ListAccessReply listAccess() {
    return calls.unary(
        "list users",
        options.callNanos(),
        (channel, nanos) -> {
          ListAccessReply reply =
              access(channel, nanos).list(ListAccessRequest.getDefaultInstance());
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Makes or takes away a user or a token. */
  public ChangeAccessReply changeAccess(AccessChange change) {
    return calls.unary(
        "change access",
        options.callNanos(),
        (channel, nanos) -> {
          ChangeAccessReply reply = access(channel, nanos).change(change);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  private static AccessGrpc.AccessBlockingStub access(ManagedChannel channel, long nanos) {
    return AccessGrpc.newBlockingStub(channel).withDeadlineAfter(nanos, TimeUnit.NANOSECONDS);
  }

  private static ClusterGrpc.ClusterBlockingStub cluster(ManagedChannel channel, long nanos) {
    return ClusterGrpc.newBlockingStub(channel).withDeadlineAfter(nanos, TimeUnit.NANOSECONDS);
  }

  private static AdminGrpc.AdminBlockingStub admin(ManagedChannel channel, long nanos) {
    return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(nanos, TimeUnit.NANOSECONDS);
  }

  /** The meta-server to watch routing at. */
  MetaEndpoint watched() {
    return leaders.current();
  }

  /** The watched one failed, or named another. */
  void watchFailed(MetaEndpoint endpoint, String leader) {
    leaders.redirected(endpoint, leader);
  }

  MetaOptions options() {
    return options;
  }

  @Override
  public void close() {
    wallet.close();
    leaders.close();
  }
}
