package luciola.meta.log;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import luciola.grpc.v1.LogEntry;
import luciola.grpc.v1.LogReply;
import luciola.meta.store.RocksStore;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies entries to the store, one at a time on Ratis's thread. Ratis is told the position of the
 * last snapshot, not of the database, and so replays entries the database has already: those are
 * skipped.
 */
final class MetaStateMachine extends BaseStateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(MetaStateMachine.class);

  private final RocksStore store;
  private final CommandApplier applier;
  private final LogListener listener;
  private final SnapshotFolder snapshots = new SnapshotFolder();
  private volatile long appliedIndex = -1;
  private final NavigableMap<Long, CompletableFuture<Void>> awaited = new TreeMap<>();

  /** The last entry that is behind us, whatever it was; guarded by {@link #awaited}. */
  private long passedIndex = -1;

  MetaStateMachine(RocksStore store, CommandApplier applier, LogListener listener) {
    this.store = store;
    this.applier = applier;
    this.listener = listener;
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage storage)
      throws IOException {
    getLifeCycle()
        .startAndTransition(() -> {
          super.initialize(server, groupId, storage);
          snapshots.init(storage);
          load();
        });
  }

  long appliedIndex() {
    return appliedIndex;
  }

  /** Completes when everything up to there is applied. */
  CompletableFuture<Void> whenApplied(long index) {
    synchronized (awaited) {
      return index <= passedIndex
          ? CompletableFuture.completedFuture(null)
          : awaited.computeIfAbsent(index, _ -> new CompletableFuture<>());
    }
  }

  private void applied(long index) {
    appliedIndex = index;
    passed(index);
  }

  private void passed(long index) {
    List<CompletableFuture<Void>> reached;
    synchronized (awaited) {
      passedIndex = Math.max(passedIndex, index);
      NavigableMap<Long, CompletableFuture<Void>> done = awaited.headMap(passedIndex, true);
      reached = List.copyOf(done.values());
      done.clear();
    }
    if (!reached.isEmpty()) {
      listener.answering(() -> reached.forEach(each -> each.complete(null)));
    }
  }

  /** An entry of Ratis's own, in which there is nothing to apply. */
  @Override
  public void notifyTermIndexUpdated(long term, long index) {
    super.notifyTermIndexUpdated(term, index);
    passed(index);
  }

  @Override
  public void pause() {
    getLifeCycle().transition(LifeCycle.State.PAUSING);
    getLifeCycle().transition(LifeCycle.State.PAUSED);
  }

  @Override
  public void reinitialize() throws IOException {
    snapshots.load();
    load();
    if (getLifeCycleState() == LifeCycle.State.PAUSED) {
      getLifeCycle().transition(LifeCycle.State.STARTING);
      getLifeCycle().transition(LifeCycle.State.RUNNING);
    }
    listener.clusterChanged(applier.cluster());
  }

  private void load() throws IOException {
    Optional<SnapshotFolder.Checkpoint> newest = snapshots.newest();
    if (newest.isPresent()) {
      SnapshotFolder.Checkpoint snapshot = newest.get();
      if (store.applied().index() < snapshot.position().getIndex()) {
        SnapshotFolder.sync(snapshot.path());
        store.restore(snapshot.path());
      }
      setLastAppliedTermIndex(snapshot.position());
    }
    applied(store.applied().index());
    store.read(view -> {
      applier.load(view);
      return true;
    });
    LOG.info(
        "state loaded: applied={} snapshot={} cluster={}",
        appliedIndex,
        newest.map(found -> found.position().getIndex()).orElse(-1L),
        Long.toHexString(applier.cluster().clusterId()));
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
    LogEntryProto proto = transaction.getLogEntry();
    TermIndex position = TermIndex.valueOf(proto);
    try {
      Message reply = apply(proto, position);
      updateLastAppliedTermIndex(position);
      return CompletableFuture.completedFuture(reply);
    } catch (RuntimeException | InvalidProtocolBufferException broken) {
      LOG.error("state machine broken: index={}", position.getIndex(), broken);
      listener.broken(broken);
      return CompletableFuture.failedFuture(broken);
    }
  }

  private Message apply(LogEntryProto proto, TermIndex position)
      throws InvalidProtocolBufferException {
    if (position.getIndex() <= appliedIndex) {
      return Message.EMPTY;
    }
    LogEntry entry =
        LogEntry.parseFrom(proto.getStateMachineLogEntry().getLogData().asReadOnlyByteBuffer());
    var before = applier.cluster();
    LogReply reply =
        store.change(
            new RocksStore.Position(position.getTerm(), position.getIndex()),
            staged -> applier.apply(entry, staged));
    applied(position.getIndex());
    if (!before.equals(applier.cluster())) {
      listener.clusterChanged(applier.cluster());
    }
    return Message.valueOf(ByteString.copyFrom(reply.toByteArray()));
  }

  @Override
  public long takeSnapshot() throws IOException {
    if (appliedIndex < 0) {
      return -1;
    }
    long index = snapshots.take(store);
    LOG.info("snapshot taken: index={}", index);
    return index;
  }

  @Override
  public StateMachineStorage getStateMachineStorage() {
    return snapshots;
  }

  @Override
  public @Nullable SnapshotInfo getLatestSnapshot() {
    return snapshots.getLatestSnapshot();
  }

  @Override
  public void notifyLeaderReady() {
    LOG.info("leads: id={} applied={}", getId(), appliedIndex);
    listener.leading(applier.cluster());
  }

  @Override
  public void notifyNotLeader(Collection<TransactionContext> pending) {
    listener.following();
  }

  @Override
  public void notifyLeaderChanged(RaftGroupMemberId self, @Nullable RaftPeerId leader) {
    if (leader == null || !leader.equals(self.getPeerId())) {
      listener.following();
    }
  }
}
