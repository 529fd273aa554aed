package luciola.meta.server;

import io.grpc.stub.StreamObserver;
import luciola.grpc.v1.AdminGrpc;
import luciola.grpc.v1.CreateTableReply;
import luciola.grpc.v1.CreateTableRequest;
import luciola.grpc.v1.NamespaceCounters;
import luciola.grpc.v1.RoutingUpdate;
import luciola.grpc.v1.StatusReply;
import luciola.grpc.v1.StatusRequest;
import luciola.meta.log.Member;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.store.RocksStore;

/** The operators' calls; answered by the leader. */
final class AdminService extends AdminGrpc.AdminImplBase {
  private final MetaLog log;
  private final RocksStore store;
  private final ClusterDriver driver;

  AdminService(MetaLog log, RocksStore store, ClusterDriver driver) {
    this.log = log;
    this.store = store;
    this.driver = driver;
  }

  private String leader() {
    return log.leader().map(Member::serviceAddress).orElse("");
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusReply> observer) {
    Answers.send(
        log.fence()
            .thenCompose(_ -> driver.nodeStatuses())
            .thenApply(nodes -> {
              NamespaceCounters.Builder counters =
                  store.read(view -> Tree.reading(view).counters());
              RoutingUpdate routing = log.cluster().updateSince(0);
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
                  .build();
            }),
        observer,
        fault ->
            StatusReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(String.valueOf(fault.getMessage()))
                .setLeader(leader())
                .build());
  }

  @Override
  public void createTable(CreateTableRequest request, StreamObserver<CreateTableReply> observer) {
    Answers.send(
        driver.createTable(request),
        observer,
        fault ->
            CreateTableReply.newBuilder()
                .setCode(fault.code().number())
                .setMessage(String.valueOf(fault.getMessage()))
                .setLeader(leader())
                .build());
  }
}
