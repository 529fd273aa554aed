package luciola.meta.server;

import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.AdminGrpc;
import luciola.grpc.v1.CheckNamespaceReply;
import luciola.grpc.v1.CheckNamespaceRequest;
import luciola.grpc.v1.CreateChainsReply;
import luciola.grpc.v1.CreateChainsRequest;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.InspectInodesReply;
import luciola.grpc.v1.InspectInodesRequest;
import luciola.grpc.v1.MetaStatus;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.OperateReply;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.RepairNamespaceReply;
import luciola.grpc.v1.RepairNamespaceRequest;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.StatusRequest;
import luciola.grpc.v1.TableStatus;
import luciola.grpc.v1.TargetStatus;
import luciola.meta.cluster.ClusterState;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;

/** The operators' calls; answered by the leader. */
final class AdminService extends AdminGrpc.AdminImplBase implements AutoCloseable {
  private final MetaLog log;
  private final RocksStore store;
  private final ClusterDriver driver;
  private final PlacementDesk placement;
  private final ChainDesk chains;
  private final NamespaceDesk namespace;

  AdminService(MetaLog log, RocksStore store, ClusterDriver driver) {
    this.log = log;
    this.store = store;
    this.driver = driver;
    this.placement = new PlacementDesk(log, driver);
    this.chains = new ChainDesk(log, driver, placement);
    this.namespace = new NamespaceDesk(log, store);
  }

  private String leader() {
    return log.leader().map(Member::serviceAddress).orElse("");
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusReply> observer) {
    Answers.send(
        log.fence()
            .thenCompose(_ -> driver.nodeStatuses())
            .thenCombine(driver.targetStatuses(), this::status),
        observer,
        fault ->
            StatusReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  private StatusReply status(List<NodeStatus> nodes, List<TargetStatus> targets) {
    NamespaceCounters.Builder counters = store.read(view -> Tree.reading(view).counters());
    ClusterState state = log.cluster();
    RoutingUpdate routing = state.updateSince(0);
    return StatusReply.newBuilder()
        .setLeader(leader())
        .setClusterId(routing.getClusterId())
        .setRoutingVersion(routing.getVersion())
        .addAllNodes(nodes)
        .addAllChains(routing.getChainsList())
        .addAllTables(routing.getTablesList())
        .setInodes(counters.getInodes())
        .setGarbage(counters.getGarbage())
        .addAllMembers(ClusterService.members(log))
        .addAllMetas(log.memberStatuses().stream().map(AdminService::meta).toList())
        .addAllTargets(targets)
        .addAllPlans(state.plans())
        .setSettings(state.settings())
        .addAllTableStatuses(
            state.tables().stream()
                .map(table ->
                    TableStatus.newBuilder()
                        .setTableId(table.getTable().getId())
                        .setVersion(table.getTable().getVersion())
                        .setReplicas(table.getReplicas())
                        .setFailureDomain(table.getFailureDomain())
                        .build())
                .toList())
        .build();
  }

  @Override
  public void createTable(CreateTableRequest request, StreamObserver<CreateTableReply> observer) {
    Answers.send(
        placement.createTable(request),
        observer,
        fault ->
            CreateTableReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void createChains(
      CreateChainsRequest request, StreamObserver<CreateChainsReply> observer) {
    Answers.send(
        chains.create(request),
        observer,
        fault ->
            CreateChainsReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void operate(OperateRequest request, StreamObserver<OperateReply> observer) {
    CompletableFuture<OperateReply> reply = placement.operate(request);
    Answers.send(
        reply,
        observer,
        fault ->
            OperateReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void checkNamespace(
      CheckNamespaceRequest request, StreamObserver<CheckNamespaceReply> observer) {
    namespace.check(request, observer);
  }

  @Override
  public void repairNamespace(
      RepairNamespaceRequest request, StreamObserver<RepairNamespaceReply> observer) {
    Answers.send(
        namespace.repair(request),
        observer,
        fault ->
            RepairNamespaceReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  @Override
  public void inspectInodes(
      InspectInodesRequest request, StreamObserver<InspectInodesReply> observer) {
    Answers.send(
        namespace.inspect(request),
        observer,
        fault ->
            InspectInodesReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(fault.detail())
                .setLeader(leader())
                .build());
  }

  /** Ends what is under way in the background. */
  @Override
  public void close() {
    namespace.close();
  }

  private static MetaStatus meta(MetaLog.MemberStatus status) {
    return MetaStatus.newBuilder()
        .setAddress(status.member().serviceAddress())
        .setLeads(status.leads())
        .setBehindEntries(status.behindEntries())
        .setSilentNanos(status.silentNanos())
        .setEmpty(status.empty())
        .build();
  }
}
