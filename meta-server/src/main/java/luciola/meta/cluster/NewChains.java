package luciola.meta.cluster;

import static luciola.meta.cluster.ClusterState.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import luciola.grpc.v1.AddChains;
import luciola.grpc.v1.AddChainsReply;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredTable;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import org.jspecify.annotations.Nullable;

/**
 * Chains beside those that exist, all members serving, and if asked a new version of the table with
 * them at its end: files that exist keep theirs, new ones are striped over all of it. Members are
 * known, not being drained, in service and share no failure domain; chains of a table are as its
 * others are. The same request again makes no second chain.
 */
final class NewChains {
  private static final int REPLICAS_MAX = 16;

  private NewChains() {}

  static ClusterState.Applied<AddChainsReply> apply(ClusterState state, AddChains command) {
    List<StoredChain> known =
        command.getRequestId() == 0
            ? List.of()
            : state.chains.values().stream()
                .filter(chain -> chain.getRequestId() == command.getRequestId())
                .toList();
    if (!known.isEmpty()) {
      return new ClusterState.Applied<>(state, again(state, known));
    }
    check(command.getChainsCount() > 0, ErrorCode.INVALID_ARGUMENT, "no chains");
    StoredTable table = command.getTableId() == 0 ? null : table(state, command.getTableId());
    FailureDomain domain = domain(table, command.getFailureDomain());
    var change = new ClusterChange(state);
    var reply = AddChainsReply.newBuilder();
    for (luciola.grpc.v1.Chain asked : command.getChainsList()) {
      StoredChain chain = chain(state, change, asked, table, domain);
      int id = chain.getChain().getId();
      change.chains.put(id, chain.toBuilder().setRequestId(command.getRequestId()).build());
      reply.addChains(chain.getChain());
    }
    if (table != null) {
      StoredTable next = longer(table, reply.getChainsList(), change.bumped());
      change.tables.add(next);
      reply.setTableId(next.getTable().getId()).setTableVersion(next.getTable().getVersion());
    }
    return new ClusterState.Applied<>(change.build(), reply.build());
  }

  /** The newest version of a table that chains are added to. */
  static StoredTable table(ClusterState state, int id) {
    return state.tables.stream()
        .filter(table -> table.getTable().getId() == id)
        .reduce((_, newer) -> newer)
        .orElseThrow(() ->
            new LuciolaException(
                ErrorCode.NOT_FOUND,
                "unknown table="
                    + Integer.toUnsignedString(id)
                    + (state.tables.isEmpty() ? "; there is none yet, see table create" : "")));
  }

  /** What replicas of the new chains must not share. */
  static FailureDomain domain(@Nullable StoredTable table, FailureDomain asked) {
    if (table == null) {
      return asked == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
          ? FailureDomain.FAILURE_DOMAIN_HOST
          : asked;
    }
    FailureDomain its =
        table.getFailureDomain() == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
            ? FailureDomain.FAILURE_DOMAIN_HOST
            : table.getFailureDomain();
    check(
        asked == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED || asked == its,
        ErrorCode.INVALID_ARGUMENT,
        "chain has another failure domain than its table: table="
            + table.getTable().getId()
            + " failure_domain="
            + NewTable.words(its)
            + " asked="
            + NewTable.words(asked));
    return its;
  }

  private static StoredChain chain(
      ClusterState state,
      ClusterChange change,
      luciola.grpc.v1.Chain asked,
      @Nullable StoredTable table,
      FailureDomain domain) {
    int id = change.counters.getChainLast() + 1;
    change.counters.setChainLast(id);
    List<TargetId> members = new ArrayList<>();
    asked.getMembersList().forEach(member -> members.add(new TargetId(member.getTargetId())));
    check(
        !members.isEmpty() && members.size() <= REPLICAS_MAX,
        ErrorCode.INVALID_ARGUMENT,
        "replicas out of bounds: members=" + members + " max=" + REPLICAS_MAX);
    check(
        table == null || members.size() == table.getReplicas(),
        ErrorCode.INVALID_ARGUMENT,
        "chain has another number of replicas than its table: members="
            + members
            + " replicas="
            + (table == null ? 0 : table.getReplicas()));
    Chain chain = RoutingMessages.newChain(new ChainId(id), members);
    Map<TargetId, Place> places = state.placeByTarget();
    NewTable.checkPlaces(state, places, chain, domain, true);
    return StoredChain.newBuilder()
        .setChain(RoutingMessages.toMessage(chain))
        .setChangedAt(change.bumped())
        .setReplicas(members.size())
        .setFailureDomain(domain)
        .build();
  }

  private static StoredTable longer(
      StoredTable table, List<luciola.grpc.v1.Chain> chains, long changedAt) {
    var next = table.toBuilder().setChangedAt(changedAt).clearRequestId();
    next.getTableBuilder()
        .setVersion(table.getTable().getVersion() + 1)
        .addAllChains(chains.stream().map(luciola.grpc.v1.Chain::getId).toList());
    return next.build();
  }

  /** The reply of the first time, as far as it can be known: the chains may have moved since. */
  private static AddChainsReply again(ClusterState state, List<StoredChain> known) {
    var reply = AddChainsReply.newBuilder();
    known.forEach(chain -> reply.addChains(chain.getChain()));
    int last = known.getLast().getChain().getId();
    state.tables.stream()
        .filter(table -> table.getTable().getChainsList().contains(last))
        .findFirst()
        .ifPresent(table ->
            reply
                .setTableId(table.getTable().getId())
                .setTableVersion(table.getTable().getVersion()));
    return reply.build();
  }
}
