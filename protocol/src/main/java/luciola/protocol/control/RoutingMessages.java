package luciola.protocol.control;

import java.util.List;
import luciola.grpc.v1.Node;
import luciola.grpc.v1.RoutingUpdate;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChainTableId;
import luciola.protocol.id.ChainVersion;
import luciola.protocol.id.NodeId;
import luciola.protocol.id.RoutingVersion;
import luciola.protocol.id.TargetId;
import luciola.protocol.routing.Chain;
import luciola.protocol.routing.ChainMember;
import luciola.protocol.routing.ChainTable;
import luciola.protocol.routing.LocalState;
import luciola.protocol.routing.PublicState;
import luciola.protocol.routing.RoutingDelta;
import luciola.protocol.routing.StorageNode;

/**
 * Routing as messages. Every {@code fromMessage} fails with INVALID_ARGUMENT where the message
 * breaks a rule of the value it stands for.
 */
public final class RoutingMessages {
  private RoutingMessages() {}

  /** The delta that an update carries. The caller has looked at its code before. */
  public static RoutingDelta fromMessage(RoutingUpdate update) {
    return checked(
        "routing update",
        () ->
            new RoutingDelta(
                new RoutingVersion(update.getFull() ? 0 : update.getFromVersion()),
                new RoutingVersion(update.getVersion()),
                update.getFull(),
                update.getNodesList().stream().map(RoutingMessages::fromMessage).toList(),
                update.getChainsList().stream().map(RoutingMessages::fromMessage).toList(),
                update.getTablesList().stream().map(RoutingMessages::fromMessage).toList()));
  }

  public static RoutingUpdate toMessage(RoutingDelta delta) {
    return RoutingUpdate.newBuilder()
        .setVersion(delta.to().value())
        .setFromVersion(delta.from().value())
        .setFull(delta.full())
        .addAllNodes(delta.nodes().stream().map(RoutingMessages::toMessage).toList())
        .addAllChains(delta.chains().stream().map(RoutingMessages::toMessage).toList())
        .addAllTables(delta.tables().stream().map(RoutingMessages::toMessage).toList())
        .build();
  }

  public static Chain fromMessage(luciola.grpc.v1.Chain chain) {
    return checked(
        "chain",
        () ->
            new Chain(
                new ChainId(chain.getId()),
                new ChainVersion(chain.getVersion()),
                chain.getMembersList().stream()
                    .map(member ->
                        new ChainMember(
                            new TargetId(member.getTargetId()),
                            fromMessage(member.getPublicState())))
                    .toList()));
  }

  public static luciola.grpc.v1.Chain toMessage(Chain chain) {
    var message =
        luciola.grpc.v1.Chain.newBuilder()
            .setId(chain.id().value())
            .setVersion(chain.version().value());
    for (ChainMember member : chain.members()) {
      message.addMembers(
          luciola.grpc.v1.ChainMember.newBuilder()
              .setTargetId(member.target().value())
              .setPublicState(toMessage(member.state())));
    }
    return message.build();
  }

  public static ChainTable fromMessage(luciola.grpc.v1.ChainTable table) {
    return checked(
        "chain table",
        () ->
            new ChainTable(
                new ChainTableId(table.getId()),
                table.getVersion(),
                table.getChainsList().stream().map(ChainId::new).toList()));
  }

  public static luciola.grpc.v1.ChainTable toMessage(ChainTable table) {
    return luciola.grpc.v1.ChainTable.newBuilder()
        .setId(table.id().value())
        .setVersion(table.version())
        .addAllChains(table.chains().stream().map(ChainId::value).toList())
        .build();
  }

  public static StorageNode fromMessage(Node node) {
    return checked(
        "node",
        () -> {
          int colon = node.getAddress().lastIndexOf(':');
          if (colon < 1) {
            throw new IllegalArgumentException("no host:port: address=" + node.getAddress());
          }
          return new StorageNode(
              new NodeId(node.getId()),
              node.getAddress().substring(0, colon),
              Integer.parseInt(node.getAddress().substring(colon + 1)),
              node.getLabelsMap(),
              node.getTargetsList().stream().map(TargetId::new).toList(),
              node.getIncarnation());
        });
  }

  public static Node toMessage(StorageNode node) {
    return Node.newBuilder()
        .setId(node.id().value())
        .setAddress(node.host() + ":" + node.port())
        .putAllLabels(node.labels())
        .addAllTargets(node.targets().stream().map(TargetId::value).toList())
        .setIncarnation(node.incarnation())
        .build();
  }

  public static PublicState fromMessage(luciola.grpc.v1.PublicState state) {
    return switch (state) {
      case PUBLIC_STATE_SERVING -> PublicState.SERVING;
      case PUBLIC_STATE_LAST_SERVING -> PublicState.LAST_SERVING;
      case PUBLIC_STATE_SYNCING -> PublicState.SYNCING;
      case PUBLIC_STATE_WAITING -> PublicState.WAITING;
      case PUBLIC_STATE_OFFLINE -> PublicState.OFFLINE;
      case PUBLIC_STATE_UNSPECIFIED, UNRECOGNIZED ->
          throw new LuciolaException(ErrorCode.INVALID_ARGUMENT, "public state: value=" + state);
    };
  }

  public static luciola.grpc.v1.PublicState toMessage(PublicState state) {
    return switch (state) {
      case SERVING -> luciola.grpc.v1.PublicState.PUBLIC_STATE_SERVING;
      case LAST_SERVING -> luciola.grpc.v1.PublicState.PUBLIC_STATE_LAST_SERVING;
      case SYNCING -> luciola.grpc.v1.PublicState.PUBLIC_STATE_SYNCING;
      case WAITING -> luciola.grpc.v1.PublicState.PUBLIC_STATE_WAITING;
      case OFFLINE -> luciola.grpc.v1.PublicState.PUBLIC_STATE_OFFLINE;
    };
  }

  /** An unspecified state reads as OFFLINE: the cautious one. */
  public static LocalState fromMessage(luciola.grpc.v1.LocalState state) {
    return switch (state) {
      case LOCAL_STATE_UP_TO_DATE -> LocalState.UP_TO_DATE;
      case LOCAL_STATE_ONLINE -> LocalState.ONLINE;
      case LOCAL_STATE_OFFLINE, LOCAL_STATE_UNSPECIFIED, UNRECOGNIZED -> LocalState.OFFLINE;
    };
  }

  public static luciola.grpc.v1.LocalState toMessage(LocalState state) {
    return switch (state) {
      case UP_TO_DATE -> luciola.grpc.v1.LocalState.LOCAL_STATE_UP_TO_DATE;
      case ONLINE -> luciola.grpc.v1.LocalState.LOCAL_STATE_ONLINE;
      case OFFLINE -> luciola.grpc.v1.LocalState.LOCAL_STATE_OFFLINE;
    };
  }

  /** A chain of new members, all serving, in the given order. */
  public static Chain newChain(ChainId id, List<TargetId> targets) {
    return new Chain(
        id,
        new ChainVersion(1),
        targets.stream().map(target -> new ChainMember(target, PublicState.SERVING)).toList());
  }

  private static <T> T checked(String what, java.util.function.Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException broken) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT, what + ": " + broken.getMessage(), broken);
    }
  }
}
