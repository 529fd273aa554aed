package luciola.protocol.control;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
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
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClientId;
import luciola.protocol.id.ClusterId;
import org.jspecify.annotations.Nullable;

/**
 * Calls to the meta-servers of one cluster. Methods block and may be used by any number of threads,
 * best virtual ones: namespace calls of all of them share one stream to the leader. A lost leader
 * is searched for and the call repeated, until the call's deadline; a change that was done the
 * first time is not done again, because the sequence stays the same.
 *
 * <p>Errors that a repetition does not mend are raised as {@link LuciolaException} with the code
 * that the server answered.
 */
public final class MetaConnection implements AutoCloseable {
  /** A member that answers no read by then is passed over for a while. */
  private static final long ANYWHERE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final MetaOptions options;
  private final LeaderSearch leaders;
  private final CallLedger ledger = new CallLedger();
  private final Semaphore calls;
  private final Wallet wallet = new Wallet(this);
  private volatile @Nullable ClusterId cluster;

  private MetaConnection(MetaOptions options) {
    this.options = options;
    this.leaders = new LeaderSearch(options.addresses(), options.access());
    this.calls = new Semaphore(options.callsMax());
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
    repeat(
        "connect",
        options.callNanos(),
        (endpoint, attemptNanos) -> {
          checkCluster(endpoint.address(), endpoint.identify(attemptNanos));
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
              : repeat(
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
      calls.release();
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
      if (!calls.tryAcquire(options.callNanos(), TimeUnit.NANOSECONDS)) {
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
          calls.release();
        }
      }
    } catch (InterruptedException e) {
      throw interrupted(operation, e);
    }
  }

  private NamespaceReply attempt(
      MetaEndpoint endpoint,
      NamespaceRequest.Builder request,
      long attemptNanos,
      boolean givesUpTheSilent) {
    // A wait for a lock and its end go one way.
    boolean ordered = request.hasAwaitLock() || request.hasCancelAwait();
    NamespaceStream stream = endpoint.stream(attemptNanos, this::checkCluster, ordered);
    long sentNanos = System.nanoTime();
    NamespaceRequest sent = request.setAcknowledgedSequence(ledger.acknowledged()).build();
    try {
      return stream.send(sent).get(attemptNanos, TimeUnit.NANOSECONDS);
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
      throw interrupted("namespace call", e);
    }
  }

  /** A storage-server makes itself known. */
  public RegisterReply register(RegisterRequest request) {
    return unary(
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
    return unary(
        "heartbeat",
        timeoutNanos,
        (channel, nanos) -> {
          HeartbeatReply reply = cluster(channel, nanos).heartbeat(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Routing newer than what the request names, now. */
  public RoutingUpdate routing(RoutingRequest request) {
    return unary(
        "get routing",
        options.callNanos(),
        (channel, nanos) -> {
          RoutingUpdate reply = cluster(channel, nanos).getRouting(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Everything operators see. */
  public StatusReply status() {
    return unary(
        "status",
        options.callNanos(),
        (channel, nanos) -> {
          StatusReply reply = admin(channel, nanos).status(StatusRequest.getDefaultInstance());
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Makes chains over the registered targets and a table of them. */
  public CreateTableReply createTable(CreateTableRequest request) {
    return unary(
        "create table",
        options.callNanos(),
        (channel, nanos) -> {
          CreateTableReply reply = admin(channel, nanos).createTable(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Makes single chains, and if asked a table with them. */
  public CreateChainsReply createChains(CreateChainsRequest request) {
    return unary(
        "create chain",
        options.callNanos(),
        (channel, nanos) -> {
          CreateChainsReply reply = admin(channel, nanos).createChains(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Changes where replicas are, what takes part and how; or says what would be done. */
  public OperateReply operate(OperateRequest request) {
    return unary(
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
    return unary(
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
    return unary(
        "repair namespace",
        options.callNanos(),
        (channel, nanos) -> {
          RepairNamespaceReply reply = admin(channel, nanos).repairNamespace(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** What is known of inodes by their numbers. */
  public InspectInodesReply inspectInodes(InspectInodesRequest request) {
    return unary(
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
    return unary(
        "renew access",
        options.callNanos(),
        (channel, nanos) -> {
          RenewAccessReply reply = access(channel, nanos).renew(request);
          return Outcome.of(reply, reply.getCode(), reply.getMessage(), reply.getLeader());
        });
  }

  /** Users and tokens. */
  public ListAccessReply listAccess() {
    return unary(
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
    return unary(
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

  /** One call on a channel. */
  private interface Unary<R> {
    Outcome<R> on(ManagedChannel channel, long attemptNanos);
  }

  private <R> R unary(String operation, long timeoutNanos, Unary<R> unary) {
    return repeat(
        operation,
        timeoutNanos,
        (endpoint, attemptNanos) -> {
          try {
            return unary.on(endpoint.channel(), attemptNanos);
          } catch (StatusRuntimeException e) {
            throw endpoint.fault(operation, e);
          }
        });
  }

  /** What came of one attempt. */
  private record Outcome<R>(R reply, ErrorCode code, String message, String leader) {
    static <R> Outcome<R> done(R reply) {
      return new Outcome<>(reply, ErrorCode.OK, "", "");
    }

    static <R> Outcome<R> of(R reply, int code, String message, String leader) {
      return new Outcome<>(reply, ErrorCode.ofNumber(code), message, leader);
    }
  }

  /** One attempt. */
  private interface Attempt<R> {
    Outcome<R> at(MetaEndpoint endpoint, long attemptNanos);
  }

  private <R> R repeat(String operation, long timeoutNanos, Attempt<R> attempt) {
    long deadlineNanos = System.nanoTime() + timeoutNanos;
    long wait = options.backoffMinNanos();
    LuciolaException lastFault = null;
    while (true) {
      MetaEndpoint endpoint = leaders.current();
      LuciolaException fault;
      try {
        // The last attempt may get very little time.
        long left = Math.max(1, deadlineNanos - System.nanoTime());
        Outcome<R> outcome = attempt.at(endpoint, Math.min(options.attemptNanos(), left));
        if (outcome.code() == ErrorCode.OK) {
          return outcome.reply();
        }
        fault = new LuciolaException(outcome.code(), outcome.message());
        follow(endpoint, outcome);
      } catch (LuciolaException e) {
        if (e.code() == ErrorCode.CANCELLED) {
          throw e;
        }
        fault = e;
        leaders.failed(endpoint);
      }
      switch (fault.code().action()) {
        case PROCEED, GIVE_UP, STOP, OTHER_REPLICA -> throw fault;
        case RETRY, REFRESH_ROUTING, FIND_LEADER -> {
          // That the time is up says less than what went wrong before.
          lastFault = fault.code() == ErrorCode.TIMED_OUT && lastFault != null ? lastFault : fault;
          if (System.nanoTime() - deadlineNanos >= 0) {
            throw new LuciolaException(
                lastFault.code(),
                operation
                    + ": meta="
                    + leaders.addresses()
                    + " timeoutNanos="
                    + timeoutNanos
                    + " cause="
                    + lastFault.getMessage(),
                lastFault);
          }
          pause(operation, Math.min(wait, Math.max(1, deadlineNanos - System.nanoTime())));
          wait = Math.min(2 * wait, options.backoffMaxNanos());
        }
      }
    }
  }

  private void follow(MetaEndpoint endpoint, Outcome<?> outcome) {
    switch (outcome.code().action()) {
      case FIND_LEADER, REFRESH_ROUTING -> leaders.redirected(endpoint, outcome.leader());
      case PROCEED, RETRY, OTHER_REPLICA, GIVE_UP, STOP -> {}
    }
  }

  private static void pause(String operation, long nanos) {
    try {
      Thread.sleep(Duration.ofNanos(nanos - ThreadLocalRandom.current().nextLong(nanos)));
    } catch (InterruptedException e) {
      throw interrupted(operation, e);
    }
  }

  private static LuciolaException interrupted(String operation, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new LuciolaException(ErrorCode.CANCELLED, operation + ": interrupted", e);
  }
}
