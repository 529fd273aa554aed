package luciola.meta.cluster;

import static luciola.meta.cluster.ClusterState.check;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import luciola.grpc.v1.AddTable;
import luciola.grpc.v1.AddTableReply;
import luciola.grpc.v1.FailureDomain;
import luciola.grpc.v1.StoredChain;
import luciola.grpc.v1.StoredTable;
import luciola.meta.placement.Place;
import luciola.protocol.control.RoutingMessages;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;

/**
 * New chains, all members serving, and a new version of the table that consists of them. Every
 * chain has the same number of members, on known targets that are not being drained, no two of
 * which share a failure domain. The same request again gives the same table.
 */
final class NewTable {
  private NewTable() {}

  static ClusterState.Applied<AddTableReply> apply(ClusterState state, AddTable command) {
    if (command.getRequestId() != 0) {
      for (StoredTable known : state.tables) {
        if (known.getRequestId() == command.getRequestId()) {
          return new ClusterState.Applied<>(state, reply(known));
        }
      }
    }
    check(command.getChainsCount() > 0, ErrorCode.INVALID_ARGUMENT, "no chains");
    FailureDomain domain =
        command.getFailureDomain() == FailureDomain.FAILURE_DOMAIN_UNSPECIFIED
            ? FailureDomain.FAILURE_DOMAIN_HOST
            : command.getFailureDomain();
    var change = new ClusterChange(state);
    Map<TargetId, Place> places = state.placeByTarget();
    var table = luciola.grpc.v1.ChainTable.newBuilder().setId(ClusterState.TABLE);
    table.setVersion(
        state.tables.isEmpty() ? 1 : state.tables.getLast().getTable().getVersion() + 1);
    for (luciola.grpc.v1.Chain asked : command.getChainsList()) {
      int id = change.counters.getChainLast() + 1;
      change.counters.setChainLast(id);
      List<TargetId> members =
          asked.getMembersList().stream()
              .map(member -> new TargetId(member.getTargetId()))
              .toList();
      Chain chain = RoutingMessages.newChain(new ChainId(id), members);
      check(
          members.size() == command.getReplicas(),
          ErrorCode.INVALID_ARGUMENT,
          "chain has another number of replicas than its table: members="
              + members
              + " replicas="
              + command.getReplicas());
      checkPlaces(state, places, chain, domain, false);
      change.chains.put(
          id,
          StoredChain.newBuilder()
              .setChain(RoutingMessages.toMessage(chain))
              .setChangedAt(change.bumped())
              .setReplicas(command.getReplicas())
              .setFailureDomain(domain)
              .build());
      table.addChains(id);
    }
    StoredTable added =
        StoredTable.newBuilder()
            .setTable(table)
            .setReplicas(command.getReplicas())
            .setChangedAt(change.bumped())
            .setFailureDomain(domain)
            .setRequestId(command.getRequestId())
            .build();
    change.tables.add(added);
    return new ClusterState.Applied<>(change.build(), reply(added));
  }

  /** Refuses a chain that is not to be. */
  static void checkPlaces(
      ClusterState state,
      Map<TargetId, Place> places,
      Chain chain,
      FailureDomain domain,
      boolean refuseHeld) {
    List<TargetId> members = chain.members().stream().map(ChainMember::target).toList();
    for (TargetId member : members) {
      check(places.containsKey(member), ErrorCode.NOT_FOUND, "unknown target=" + member);
      check(
          !state.draining(member),
          ErrorCode.INVALID_ARGUMENT,
          "target is being drained: target=" + member);
      check(
          !refuseHeld || !state.held(member),
          ErrorCode.INVALID_ARGUMENT,
          "target was taken out of service by an operator: target=" + member);
    }
    checkApart(places, members, domain, "chain=new");
  }

  /** Refuses members of which two share a failure domain. */
  static void checkApart(
      Map<TargetId, Place> places, List<TargetId> members, FailureDomain domain, String chain) {
    for (int i = 0; i < members.size(); i++) {
      for (int j = 0; j < i; j++) {
        Place a = places.get(members.get(j));
        Place b = places.get(members.get(i));
        check(
            a == null || b == null || a.apart(b, domain),
            ErrorCode.INVALID_ARGUMENT,
            "two replicas would share a failure domain: "
                + chain
                + " targets="
                + members.get(j)
                + ","
                + members.get(i)
                + (a == null ? "" : " host=" + a.host() + " leaf=" + a.leaf())
                + " failure_domain="
                + words(domain));
      }
    }
  }

  /** A failure domain as operators write it. */
  static String words(FailureDomain domain) {
    return domain.name().substring("FAILURE_DOMAIN_".length()).toLowerCase(Locale.ROOT);
  }

  private static AddTableReply reply(StoredTable table) {
    return AddTableReply.newBuilder()
        .setTableId(table.getTable().getId())
        .setTableVersion(table.getTable().getVersion())
        .build();
  }
}
