package luciola.meta.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import luciola.grpc.v1.AddTableReply;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.OperateExactly;
import luciola.grpc.v1.OperateReply;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.Operation;
import luciola.grpc.v1.OperationReply;
import luciola.grpc.v1.StoredTable;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.cluster.ClusterState;
import luciola.meta.log.MetaLog;
import luciola.meta.placement.Balance;
import luciola.meta.placement.LayoutPlanner;
import luciola.meta.placement.MovePlanner;
import luciola.meta.placement.Place;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.StorageNode;

/**
 * Works out where replicas are to go and hands it to the cluster manager, which checks all of it.
 * Searching for layouts takes time and runs on threads of its own, two at once.
 */
final class PlacementDesk {
  private static final long SEARCH_MILLIS_MAX = 60_000;
  private static final long SEARCH_MILLIS = 2_000;
  private static final int WAITING_MAX = 16;
  private static final long IDLE_SECONDS = 10;

  private final MetaLog log;
  private final ClusterDriver driver;
  private final ThreadPoolExecutor threads;

  PlacementDesk(MetaLog log, ClusterDriver driver) {
    this.log = log;
    this.driver = driver;
    this.threads =
        new ThreadPoolExecutor(
            2,
            2,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING_MAX),
            Thread.ofPlatform().name("meta-placement-", 0).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
  }

  private static void check(boolean holds, ErrorCode code, String message) {
    if (!holds) {
      throw new LuciolaException(code, message);
    }
  }

  /** Runs a search on one of the threads for it. */
  <T> CompletableFuture<T> searched(Supplier<T> search) {
    try {
      return CompletableFuture.supplyAsync(search, threads);
    } catch (RejectedExecutionException full) {
      throw new LuciolaException(
          ErrorCode.OVERLOADED, "too many layouts are searched for: waiting=" + WAITING_MAX, full);
    }
  }

  /** How long to search, as asked. */
  static long nanos(int searchMillis) {
    long millis = searchMillis == 0 ? SEARCH_MILLIS : Integer.toUnsignedLong(searchMillis);
    check(
        millis <= SEARCH_MILLIS_MAX,
        ErrorCode.INVALID_ARGUMENT,
        "search too long: millis=" + millis + " max=" + SEARCH_MILLIS_MAX);
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  // Tables.

  CompletableFuture<CreateTableReply> createTable(CreateTableRequest request) {
    return log.fence()
        .thenCompose(_ -> {
          for (StoredTable known : log.cluster().tables()) {
            if (request.getRequestId() != 0 && known.getRequestId() == request.getRequestId()) {
              return CompletableFuture.completedFuture(
                  CreateTableReply.newBuilder()
                      .setTableId(known.getTable().getId())
                      .setTableVersion(known.getTable().getVersion())
                      .setChains(known.getTable().getChainsCount())
                      .build());
            }
          }
          return driver
              .eligible()
              .thenCompose(eligible -> searched(() -> layout(request, eligible)))
              .thenCompose(found -> request.getDryRun() ? proposed(found) : create(request, found));
        });
  }

  private LayoutPlanner.Found layout(CreateTableRequest request, List<Place> eligible) {
    check(
        request.getReplicas() >= 1 && request.getReplicas() <= 16,
        ErrorCode.INVALID_ARGUMENT,
        "create table: replicas out of bounds: replicas=" + request.getReplicas() + " max=16");
    if (request.getLayoutCount() > 0) {
      List<List<TargetId>> chains =
          request.getLayoutList().stream()
              .map(chain -> chain.getWantedList().stream().map(PlacementDesk::targetId).toList())
              .toList();
      return new LayoutPlanner.Found(
          chains,
          Balance.of(log.cluster().places(), domain(request.getFailureDomain()), chains),
          "as given");
    }
    List<Place> places = where(eligible, request.getWhereMap());
    return LayoutPlanner.plan(
        places,
        domain(request.getFailureDomain()),
        request.getReplicas(),
        request.getChains(),
        nanos(request.getSearchMillis()),
        System::nanoTime);
  }

  private static TargetId targetId(long id) {
    check(id > 0, ErrorCode.INVALID_ARGUMENT, "not a target: target=" + id);
    return new TargetId(id);
  }

  private static FailureDomain domain(FailureDomain asked) {
    return asked == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
        ? FailureDomain.FAILURE_DOMAIN_HOST
        : asked;
  }

  /** The places on nodes with these labels. */
  List<Place> where(List<Place> places, Map<String, String> labels) {
    Map<NodeId, StorageNode> nodes = log.cluster().routing().nodes();
    return places.stream()
        .filter(place -> {
          StorageNode node = nodes.get(place.node());
          return node != null && node.labels().entrySet().containsAll(labels.entrySet());
        })
        .toList();
  }

  private static CompletableFuture<CreateTableReply> proposed(LayoutPlanner.Found found) {
    return CompletableFuture.completedFuture(
        CreateTableReply.newBuilder()
            .setChains(found.chains().size())
            .setBalance(found.balance().toMessage())
            .setMethod(found.method())
            .addAllLayout(messages(found.chains()))
            .build());
  }

  private CompletableFuture<CreateTableReply> create(
      CreateTableRequest request, LayoutPlanner.Found found) {
    CreateTableRequest laid =
        request.toBuilder().clearLayout().addAllLayout(messages(found.chains())).build();
    return driver
        .ask(new ClusterEvent.CreateTable(laid))
        .thenApply(reply -> {
          AddTableReply added = reply.getAddTable();
          return CreateTableReply.newBuilder()
              .setCode(added.getCode())
              .setMessage(added.getMessage())
              .setTableId(added.getTableId())
              .setTableVersion(added.getTableVersion())
              .setChains(found.chains().size())
              .setBalance(found.balance().toMessage())
              .setMethod(found.method())
              .build();
        });
  }

  private static List<ChainPlan> messages(List<List<TargetId>> chains) {
    return chains.stream()
        .map(chain ->
            ChainPlan.newBuilder()
                .addAllWanted(chain.stream().map(TargetId::value).toList())
                .build())
        .toList();
  }

  // Everything else.

  CompletableFuture<OperateReply> operate(OperateRequest request) {
    return log.fence()
        .thenCompose(_ -> driver.eligible())
        .thenCompose(eligible -> searched(() -> planned(request, eligible)))
        .thenCompose(planned -> request.getDryRun() ? shown(planned) : done(planned));
  }

  /** What is to be done, and the cluster for which it was worked out. */
  private record Planned(ClusterState state, Operation operation) {}

  private Planned planned(OperateRequest request, List<Place> eligible) {
    ClusterState state = log.cluster();
    var operation = Operation.newBuilder();
    switch (request.getActionCase()) {
      case EXACTLY -> exactly(request.getExactly(), operation);
      case DRAIN -> {
        operation
            .addAllDrainNodes(request.getDrain().getNodesList())
            .addAllDrainTargets(request.getDrain().getTargetsList());
        Set<TargetId> leaving = leaving(state, request);
        operation.addAllPlans(plans(state, planner(state, eligible, leaving).drain(leaving)));
      }
      case REPLACE -> {
        TargetId former = known(state, request.getReplace().getOldTarget());
        TargetId instead = known(state, request.getReplace().getNewTarget());
        operation.addAllPlans(
            plans(state, planner(state, eligible, Set.of()).replace(former, instead)));
      }
      case REBALANCE ->
          operation.addAllPlans(
              plans(
                  state,
                  planner(state, eligible, Set.of())
                      .rebalance(Math.max(0, request.getRebalance().getMovesMax()))));
      case ADD_REPLICA -> {
        TargetId target = known(state, request.getAddReplica().getTargetId());
        List<TargetId> members = goal(state, request.getAddReplica().getChainId());
        operation.addPlans(
            plan(
                state,
                request.getAddReplica().getChainId(),
                Stream.concat(members.stream(), Stream.of(target)).distinct().toList(),
                false));
      }
      case REMOVE_REPLICA -> {
        TargetId target = known(state, request.getRemoveReplica().getTargetId());
        int chain = request.getRemoveReplica().getChainId();
        List<TargetId> members = goal(state, chain);
        check(
            members.contains(target),
            ErrorCode.NOT_FOUND,
            "target is not in the chain: chain=" + chain + " target=" + target);
        operation.addPlans(
            plan(
                state,
                chain,
                members.stream().filter(member -> !member.equals(target)).toList(),
                request.getRemoveReplica().getFewer()));
      }
      case ACTION_NOT_SET -> throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, "no action");
    }
    return new Planned(state, operation.build());
  }

  private static void exactly(OperateExactly asked, Operation.Builder operation) {
    operation
        .addAllPlans(asked.getPlansList())
        .addAllUndrainNodes(asked.getUndrainNodesList())
        .addAllUndrainTargets(asked.getUndrainTargetsList())
        .addAllHoldTargets(asked.getHoldTargetsList())
        .addAllReleaseTargets(asked.getReleaseTargetsList())
        .addAllRemoveNodes(asked.getRemoveNodesList())
        .addAllRemoveTargets(asked.getRemoveTargetsList())
        .setLabelNode(asked.getLabelNode())
        .putAllLabels(asked.getLabelsMap())
        .setSettings(asked.getSettings())
        .addAllSettingsCleared(asked.getSettingsClearedList())
        .addAllCancelChains(asked.getCancelChainsList())
        .addAllReopenTargets(asked.getReopenTargetsList());
  }

  private static TargetId known(ClusterState state, long id) {
    check(
        id > 0 && state.routing().nodeOf(new TargetId(id)).isPresent(),
        ErrorCode.NOT_FOUND,
        "unknown target=" + id);
    return new TargetId(id);
  }

  private static Set<TargetId> leaving(ClusterState state, OperateRequest request) {
    Set<TargetId> leaving = new HashSet<>();
    for (long id : request.getDrain().getNodesList()) {
      StorageNode node = id < 1 ? null : state.routing().nodes().get(new NodeId(id));
      if (node == null) {
        throw new LuciolaException(ErrorCode.UNKNOWN_NODE, "unknown node=" + id);
      }
      leaving.addAll(node.targets());
    }
    request.getDrain().getTargetsList().forEach(id -> leaving.add(known(state, id)));
    return leaving;
  }

  private static MovePlanner planner(
      ClusterState state, List<Place> eligible, Set<TargetId> leaving) {
    Set<TargetId> takers = new HashSet<>();
    eligible.forEach(place -> takers.add(place.target()));
    takers.removeAll(leaving);
    return new MovePlanner(
        state.places(),
        takers,
        state.routing().chains().values().stream()
            .map(chain ->
                new MovePlanner.Existing(
                    chain.id(), goal(state, chain.id().value()), state.domain(chain.id())))
            .toList());
  }

  /** The members that a chain is to have. */
  private static List<TargetId> goal(ClusterState state, int chainId) {
    Chain chain = chainId < 1 ? null : state.routing().chains().get(new ChainId(chainId));
    if (chain == null) {
      throw new LuciolaException(
          ErrorCode.NOT_FOUND, "unknown chain=" + Integer.toUnsignedString(chainId));
    }
    Set<TargetId> wanted = state.wanted(chain.id());
    List<TargetId> members = chain.members().stream().map(ChainMember::target).toList();
    return wanted.isEmpty()
        ? members
        : Stream.concat(
                members.stream().filter(wanted::contains),
                wanted.stream().filter(target -> !members.contains(target)).sorted())
            .toList();
  }

  private static List<ChainPlan> plans(ClusterState state, List<MovePlanner.Move> moves) {
    return moves.stream()
        .map(move -> plan(state, move.chain().value(), move.wanted(), false))
        .toList();
  }

  private static ChainPlan plan(
      ClusterState state, int chainId, List<TargetId> wanted, boolean fewer) {
    Chain chain = state.routing().chains().get(new ChainId(chainId));
    return ChainPlan.newBuilder()
        .setChainId(chainId)
        .addAllWanted(wanted.stream().map(TargetId::value).toList())
        .addAllFormer(
            chain == null
                ? List.of()
                : chain.members().stream().map(member -> member.target().value()).toList())
        .setFewer(fewer)
        .build();
  }

  private CompletableFuture<OperateReply> done(Planned planned) {
    return driver
        .ask(new ClusterEvent.Operate(planned.operation()))
        .thenApply(reply -> {
          OperationReply outcome = reply.getOperation();
          return outcome.getCode() != 0
              ? OperateReply.newBuilder()
                  .setCode(outcome.getCode())
                  .setMessage(outcome.getMessage())
                  .build()
              : described(planned);
        });
  }

  /** What would be done; whatever the manager would refuse is refused here too. */
  private CompletableFuture<OperateReply> shown(Planned planned) {
    OperationReply outcome = planned.state().operate(planned.operation()).reply();
    check(outcome.getCode() == 0, ErrorCode.ofNumber(outcome.getCode()), outcome.getMessage());
    return CompletableFuture.completedFuture(
        described(planned).toBuilder()
            .setBefore(balance(planned.state()))
            .setAfter(balance(planned.state().operate(planned.operation()).state()))
            .build());
  }

  private OperateReply described(Planned planned) {
    var reply = OperateReply.newBuilder().addAllPlans(planned.operation().getPlansList());
    if (planned.operation().getPlansCount() > 0) {
      ClusterState before = planned.state();
      ClusterState after = before.operate(planned.operation()).state();
      reply.setBefore(balance(before)).setAfter(balance(after));
    }
    return reply.build();
  }

  /** How evenly everything lies once every plan is done. */
  static luciola.grpc.v1.Balance balance(ClusterState state) {
    var chains = new ArrayList<List<TargetId>>();
    var used = new HashMap<TargetId, Boolean>();
    for (Chain chain : state.routing().chains().values()) {
      List<TargetId> members = goal(state, chain.id().value());
      members.forEach(member -> used.put(member, true));
      chains.add(members);
    }
    List<Place> places =
        state.places().stream()
            .filter(place -> used.containsKey(place.target()) || !state.draining(place.target()))
            .toList();
    return Balance.of(places, FailureDomain.FAILURE_DOMAIN_HOST, chains).toMessage();
  }
}
