package luciola.meta.server;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.AddChainsReply;
import luciola.grpc.v1.ChainPlan;
import luciola.grpc.v1.CreateChainsReply;
import luciola.grpc.v1.CreateChainsRequest;
import luciola.grpc.v1.FailureDomain;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.cluster.ClusterState;
import luciola.meta.log.MetaLog;
import luciola.meta.placement.LayoutPlanner;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.ChainMember;

/** Lays single chains, as they are named or beside those that exist, and has them made. */
final class ChainDesk {
  private static final int REPLICAS = 3;

  private final MetaLog log;
  private final ClusterDriver driver;
  private final PlacementDesk placement;

  ChainDesk(MetaLog log, ClusterDriver driver, PlacementDesk placement) {
    this.log = log;
    this.driver = driver;
    this.placement = placement;
  }

  /** What is asked of the cluster, and how it was laid. */
  private record Laid(ClusterState state, AddChains command, String method) {}

  CompletableFuture<CreateChainsReply> create(CreateChainsRequest request) {
    return log.fence()
        .thenCompose(_ -> driver.eligible())
        .thenCompose(eligible -> placement.searched(() -> laid(request, eligible)))
        .thenCompose(laid -> request.getDryRun() ? shown(laid) : made(laid));
  }

  private Laid laid(CreateChainsRequest request, List<Place> eligible) {
    ClusterState state = log.cluster();
    var command =
        AddChains.newBuilder()
            .setFailureDomain(request.getFailureDomain())
            .setTableId(request.getTableId())
            .setRequestId(request.getRequestId());
    if (state.hasChainsOf(request.getRequestId())) {
      return new Laid(state, command.build(), "made before");
    }
    List<List<TargetId>> chains;
    String method = "as given";
    if (request.getTargetsCount() > 0) {
      chains = List.of(request.getTargetsList().stream().map(ChainDesk::targetId).toList());
    } else {
      ClusterState.ChainShape shape =
          state.shapeOfChains(request.getTableId(), request.getFailureDomain());
      LayoutPlanner.Found found = placed(state, request, eligible, shape);
      chains = found.chains();
      method = found.method();
    }
    try {
      for (List<TargetId> members : chains) {
        command.addChains(
            RoutingMessages.toMessage(RoutingMessages.newChain(new ChainId(1), members)));
      }
    } catch (IllegalArgumentException twice) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, "create chain: " + twice.getMessage(), twice);
    }
    return new Laid(state, command.build(), method);
  }

  private LayoutPlanner.Found placed(
      ClusterState state,
      CreateChainsRequest request,
      List<Place> eligible,
      ClusterState.ChainShape shape) {
    int asked = request.getReplicas() == 0 ? shape.replicas() : request.getReplicas();
    int replicas = asked == 0 ? REPLICAS : asked;
    FailureDomain domain = shape.domain();
    return LayoutPlanner.beside(
        placement.where(eligible, request.getWhereMap()),
        state.routing().chains().values().stream()
            .map(chain -> chain.members().stream().map(ChainMember::target).toList())
            .toList(),
        domain,
        replicas,
        request.getChains() == 0 ? 1 : request.getChains(),
        PlacementDesk.nanos(request.getSearchMillis()),
        System::nanoTime);
  }

  private static TargetId targetId(long id) {
    if (id < 1) {
      throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, "not a target: target=" + id);
    }
    return new TargetId(id);
  }

  /** What would be made; whatever the manager would refuse is refused here too. */
  private CompletableFuture<CreateChainsReply> shown(Laid laid) {
    return driver
        .would(new ClusterEvent.CreateChains(laid.command()))
        .thenApply(command -> {
          var applied = laid.state().addChains(command.getAddChains());
          return reply(applied.reply(), applied.state(), laid.method(), true);
        });
  }

  private CompletableFuture<CreateChainsReply> made(Laid laid) {
    return driver
        .ask(new ClusterEvent.CreateChains(laid.command()))
        .thenApply(reply -> reply(reply.getAddChains(), log.cluster(), laid.method(), false));
  }

  private static CreateChainsReply reply(
      AddChainsReply added, ClusterState after, String method, boolean dryRun) {
    var reply =
        CreateChainsReply.newBuilder()
            .setCode(added.getCode())
            .setMessage(added.getMessage())
            .setTableId(added.getTableId())
            .setTableVersion(added.getTableVersion())
            .setBalance(PlacementDesk.balance(after))
            .setMethod(method);
    for (luciola.grpc.v1.Chain chain : added.getChainsList()) {
      var plan = ChainPlan.newBuilder().setChainId(dryRun ? 0 : chain.getId());
      chain.getMembersList().forEach(member -> plan.addWanted(member.getTargetId()));
      reply.addChains(plan);
    }
    return reply.build();
  }
}
