package luciola.meta.log;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.Applied;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.LogEntry;
import luciola.grpc.v1.LogReply;
import luciola.grpc.v1.StoredAccess;
import luciola.grpc.v1.StoredCluster;
import luciola.meta.access.AccessState;
import luciola.meta.cluster.ClusterState;
import luciola.meta.namespace.Namespace;
import luciola.meta.namespace.tree.Family;
import luciola.meta.namespace.tree.KeyValueView;
import luciola.meta.namespace.tree.Staged;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.routing.ChainTable;

/**
 * Hands each command of an entry to the core it is for, in order, over one staged batch. The
 * cluster's state is also kept as a value, for others to read.
 */
final class CommandApplier {
  private volatile ClusterState cluster = ClusterState.EMPTY;
  private volatile AccessState access = AccessState.EMPTY;
  private Optional<ChainTable> table = Optional.empty();

  /** Takes the cluster's state from what is stored. */
  void load(KeyValueView view) {
    List<StoredCluster> records = new ArrayList<>();
    view.scan(
        Family.CLUSTER,
        new byte[0],
        null,
        (_, value) -> {
          try {
            return records.add(StoredCluster.parseFrom(value));
          } catch (InvalidProtocolBufferException e) {
            throw new LuciolaException(ErrorCode.CORRUPT_DATA, "cluster record: " + e, e);
          }
        });
    become(ClusterState.of(records));
    access = storedAccess(view);
  }

  private static AccessState storedAccess(KeyValueView view) {
    List<StoredAccess> records = new ArrayList<>();
    view.scan(
        Family.ACCESS,
        new byte[0],
        null,
        (_, value) -> {
          try {
            return records.add(StoredAccess.parseFrom(value));
          } catch (InvalidProtocolBufferException e) {
            throw new LuciolaException(ErrorCode.CORRUPT_DATA, "access record: " + e, e);
          }
        });
    return AccessState.of(records);
  }

  /** Users and tokens after the last entry. */
  AccessState access() {
    return access;
  }

  /** The cluster's state after the last entry. */
  ClusterState cluster() {
    return cluster;
  }

  private void become(ClusterState next) {
    cluster = next;
    table = next.newestTable();
  }

  LogReply apply(LogEntry entry, Staged staged) {
    LogReply.Builder reply = LogReply.newBuilder();
    for (Command command : entry.getCommandsList()) {
      reply.addReplies(apply(command, staged));
    }
    return reply.build();
  }

  private CommandReply apply(Command command, Staged staged) {
    CommandReply.Builder reply = CommandReply.newBuilder();
    switch (command.getCommandCase()) {
      case NAMESPACE ->
          reply.setNamespace(
              Namespace.apply(command.getNamespace(), command.getNowNanos(), table, staged));
      case REGISTER, CHANGE_CHAINS, ADD_TABLE, ADD_CHAINS, OPERATION, TAKE_OFFICE -> {
        var applied = cluster.apply(command);
        store(applied.state(), staged);
        return applied.reply();
      }
      case INIT_CLUSTER -> {
        store(cluster.initCluster(command.getInitCluster()), staged);
        Namespace.format(staged, command.getNowNanos());
        reply.setApplied(Applied.getDefaultInstance());
      }
      case EXPIRE_CLIENTS -> {
        Namespace.expire(
            command.getExpireClients().getClientsList(), command.getNowNanos(), staged);
        reply.setApplied(Applied.getDefaultInstance());
      }
      case COUNT_USAGE -> {
        Namespace.countUsage(command.getCountUsage(), staged);
        reply.setApplied(Applied.getDefaultInstance());
      }
      case REPAIR_NAMESPACE ->
          reply.setRepairNamespace(
              Namespace.repair(command.getRepairNamespace(), command.getNowNanos(), staged));
      case ACCESS -> {
        AccessState.Applied applied = access.apply(command.getAccess(), command.getNowNanos());
        store(applied.state(), staged);
        reply.setAccess(applied.reply());
      }
      case COMMAND_NOT_SET -> reply.setApplied(Applied.getDefaultInstance());
    }
    return reply.build();
  }

  private void store(AccessState next, Staged staged) {
    for (StoredAccess changed : next.changedSince(access)) {
      staged.put(Family.ACCESS, AccessState.key(changed), changed.toByteArray());
    }
    next.removedSince(access).forEach(key -> staged.delete(Family.ACCESS, key));
    access = next;
  }

  private void store(ClusterState next, Staged staged) {
    for (StoredCluster changed : next.changedSince(cluster)) {
      staged.put(Family.CLUSTER, ClusterState.key(changed), changed.toByteArray());
    }
    next.removedSince(cluster).forEach(key -> staged.delete(Family.CLUSTER, key));
    become(next);
  }
}
