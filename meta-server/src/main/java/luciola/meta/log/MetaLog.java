package luciola.meta.log;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.LogEntry;
import luciola.grpc.v1.LogReply;
import luciola.meta.access.AccessState;
import luciola.meta.cluster.ClusterState;
import luciola.meta.cluster.ReadRounds;
import luciola.meta.store.RocksStore;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * One member's end of the replicated log. Commands wait in a bounded queue; one thread gathers what
 * waits into an entry while the entries before are being written, and submits it in this process.
 */
public final class MetaLog implements AutoCloseable {
  private static final RaftGroupId GROUP = RaftSetup.GROUP;

  private final LogConfig config;
  private final LogListener listener;
  private final CommandApplier applier = new CommandApplier();
  private final RaftServer server;
  private final ClientId submitter = ClientId.randomId();
  private final BlockingQueue<Submission> queue;
  private final Semaphore entriesFree;
  private final Thread gatherer;
  private final Recovery recovery;
  private final Optional<Thread> lateStart;
  private final MetaStateMachine stateMachine;
  private final MemberProgress progress;
  private final @Nullable ReadFence leaderFence;
  private final @Nullable ReadFence followerFence;
  private volatile boolean closed;
  private long callId;
  private long lastNowNanos;

  private record Submission(Command command, CompletableFuture<CommandReply> reply) {}

  private MetaLog(LogConfig config, RocksStore store, LogListener listener, Peers peers)
      throws IOException {
    this.config = config;
    this.listener = listener;
    this.queue = new ArrayBlockingQueue<>(config.queueMax());
    this.entriesFree = new Semaphore(config.entriesMax());
    boolean fresh = !Files.exists(config.directory().resolve(GROUP.getUuid().toString()));
    Files.createDirectories(config.directory());
    RaftPeerId self = RaftPeerId.valueOf(config.self());
    this.stateMachine = new MetaStateMachine(store, applier, listener);
    this.recovery = new Recovery(config, fresh, peers, this::hasIndex);
    var setup = RaftSetup.of(config, recovery);
    this.server =
        RaftServer.newBuilder()
            .setServerId(self)
            .setGroup(setup.group())
            .setStateMachine(stateMachine)
            .setProperties(setup.properties())
            .setParameters(setup.parameters())
            .setOption(fresh ? RaftStorage.StartupOption.FORMAT : RaftStorage.StartupOption.RECOVER)
            .build();
    setup.appends().watch(this::flushedIndex);
    this.gatherer = Thread.ofPlatform().name("meta-log").daemon().unstarted(this::gather);
    this.lateStart =
        fresh && config.members().size() > 1
            ? Optional.of(
                Thread.ofVirtual()
                    .name("meta-late-start")
                    .unstarted(
                        new LateStart(
                            self,
                            setup,
                            () -> server.getDivision(GROUP).getInfo(),
                            recovery::leader)))
            : Optional.empty();
    this.progress = new MemberProgress(config, peers, this::leads);
    int members = config.members().size();
    if (members > 1) {
      long readNanos = TimeUnit.MILLISECONDS.toNanos(2L * config.electionMillis());
      this.leaderFence =
          new ReadFence(
              ReadRounds.othersOfMajority(members),
              readNanos,
              this::ledTerm,
              peers::confirm,
              listener,
              "read: this member does not lead, or reaches no majority");
      this.followerFence =
          new ReadFence(
              1,
              readNanos,
              this::followedLeader,
              round -> leader().ifPresent(leader -> peers.readIndex(leader.id(), round)),
              listener,
              "read: no leader answers");
    } else {
      this.leaderFence = null;
      this.followerFence = null;
    }
  }

  /**
   * Starts the log over a store, which outlives it.
   *
   * @param peers the way to the others; used from the first read on
   */
  public static MetaLog start(
      LogConfig config, RocksStore store, LogListener listener, Peers peers) {
    try {
      var log = new MetaLog(config, store, listener, peers);
      try {
        log.server.start();
      } catch (IOException failed) {
        log.server.close();
        throw failed;
      }
      log.gatherer.start();
      log.lateStart.ifPresent(Thread::start);
      log.progress.start();
      log.recovery.start();
      return log;
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.DISK_ERROR,
          "start the replicated log: directory=" + config.directory() + " " + e.getMessage(),
          e);
    }
  }

  /** The cluster's durable state after the last applied entry. */
  public ClusterState cluster() {
    return applier.cluster();
  }

  /** Users and tokens after the last applied entry. */
  public AccessState access() {
    return applier.access();
  }

  /** Whether this member leads and has applied everything that was decided before. */
  public boolean leads() {
    try {
      return !closed && server.getDivision(GROUP).getInfo().isLeaderReady();
    } catch (IOException e) {
      return false;
    }
  }

  /** The port for the other members. */
  int raftPort() {
    return server.getServerRpc().getInetSocketAddress().getPort();
  }

  /** All members, this one included. */
  public List<Member> members() {
    return config.members();
  }

  /** The member that leads, as far as this one knows. */
  public Optional<Member> leader() {
    try {
      RaftPeerId leader = server.getDivision(GROUP).getInfo().getLeaderId();
      return config.members().stream()
          .filter(member -> leader != null && member.id().equals(leader.toString()))
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * A member, as the leader sees it.
   *
   * @param behindEntries entries of the log that it does not have yet
   * @param silentNanos since it last answered
   * @param empty it has no log at all
   */
  public record MemberStatus(
      Member member, boolean leads, long behindEntries, long silentNanos, boolean empty) {}

  /** How far every member is; empty if this one does not lead. */
  public List<MemberStatus> memberStatuses() {
    try {
      DivisionInfo info = server.getDivision(GROUP).getInfo();
      RoleInfoProto role = info.getRoleInfoProto();
      long[] matching = info.getFollowerMatchIndices();
      if (!info.isLeader() || role.getLeaderInfo().getFollowerInfoCount() != matching.length) {
        return List.of();
      }
      long applied = info.getLastAppliedIndex();
      var statuses = new ArrayList<MemberStatus>();
      for (Member member : config.members()) {
        if (member.id().equals(config.self())) {
          statuses.add(new MemberStatus(member, true, 0, 0, false));
        }
        for (int i = 0; i < matching.length; i++) {
          ServerRpcProto follower = role.getLeaderInfo().getFollowerInfo(i);
          if (member.id().equals(follower.getId().getId().toStringUtf8())) {
            // Ratis goes on believing in what a member had before it lost its disk.
            MemberProgress.Told told = progress.of(member.id());
            statuses.add(
                new MemberStatus(
                    member,
                    false,
                    Math.max(told.behindEntries(), applied - matching[i]),
                    Math.max(
                        told.silentNanos(),
                        TimeUnit.MILLISECONDS.toNanos(follower.getLastRpcElapsedTimeMs())),
                    told.empty()));
          }
        }
      }
      return statuses;
    } catch (IOException e) {
      return List.of();
    }
  }

  /**
   * Puts a command into the log; completes with its reply once it is applied here. Fails with
   * NOT_LEADER or OVERLOADED (it had no effect) or TIMED_OUT (it may have had one).
   */
  public CompletableFuture<CommandReply> submit(Command command) {
    if (closed) {
      return failed(ErrorCode.SHUTTING_DOWN, "submit: the log is closed");
    }
    if (!leads()) {
      return failed(ErrorCode.NOT_LEADER, "submit: this member does not lead");
    }
    var submission = new Submission(command, new CompletableFuture<>());
    if (!queue.offer(submission)) {
      return failed(
          ErrorCode.OVERLOADED, "submit: too many commands wait: max=" + config.queueMax());
    }
    return submission.reply();
  }

  /**
   * Completes when this member is known to have led at some time after the call, with everything
   * applied that was answered before the call: what is read from the state then is linearizable.
   * Alone, nobody else can have led. With others, a majority is asked: a leader's own belief is not
   * enough, it may have been held while another was elected.
   */
  public CompletableFuture<Void> fence() {
    ReadFence fence = leaderFence;
    if (fence != null) {
      // What is decided may have been applied, and read, at another member before it is here.
      return fence.pass().thenCompose(_ -> stateMachine.whenApplied(decidedIndex()));
    }
    return leads()
        ? CompletableFuture.completedFuture(null)
        : failed(ErrorCode.NOT_LEADER, "read: this member does not lead");
  }

  /**
   * As {@link #fence}, on a member that need not lead: the leader is asked how far it is, and what
   * it names is waited for.
   */
  public CompletableFuture<Void> followersFence() {
    ReadFence fence = followerFence;
    return fence == null || leads() ? fence() : fence.pass();
  }

  /**
   * A member has answered to {@link Peers#confirm}.
   *
   * @param index the last entry on its disk; -1 if it has none
   */
  public void confirmed(long round, String member, long term, long index) {
    progress.told(member, index, appliedIndex());
    recovery.logOf(member, index);
    if (leaderFence != null) {
      leaderFence.answered(round, number(member), term);
    }
  }

  /**
   * The leader has answered to {@link Peers#readIndex}.
   *
   * @param index what a read has to see
   * @param term that it led all the time; 0 if not
   */
  public void indexed(long round, String leader, long index, long term) {
    recovery.leads(round, leader, term, index);
    if (followerFence != null && round > Recovery.NO_READ) {
      int number = number(leader);
      var _ =
          stateMachine
              .whenApplied(index)
              .thenRun(() -> followerFence.answered(round, number, number));
    }
  }

  /** The newest term this member has heard of; -1 while it does not know. */
  public long term() {
    try {
      return server.getDivision(GROUP).getInfo().getCurrentTerm();
    } catch (IOException e) {
      return -1;
    }
  }

  /** The same for those who count a majority; 0 while this member cannot be counted on. */
  public long countedTerm() {
    return recovery.isDone() ? term() : 0;
  }

  /**
   * What a read of now has to see.
   *
   * @param term that this member led all the time; 0 if not
   * @param index of the last entry of it
   */
  public record ReadPoint(long term, long index) {}

  /** Completes as {@link #fence} does. */
  public CompletableFuture<ReadPoint> readPoint() {
    OptionalLong before = ledTerm();
    return fence()
        .thenApply(_ ->
            new ReadPoint(
                before.equals(ledTerm()) ? before.orElse(0) : 0, stateMachine.appliedIndex()));
  }

  /** The last entry that is both on this member's disk and applied. */
  private long hasIndex() {
    return Math.min(flushedIndex(), stateMachine.appliedIndex());
  }

  private long decidedIndex() {
    try {
      return server.getDivision(GROUP).getRaftLog().getLastCommittedIndex();
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.SHUTTING_DOWN, "read: " + e.getMessage(), e);
    }
  }

  /** The last entry that is on this member's disk; -1 while there is no log. */
  public long flushedIndex() {
    try {
      return server.getDivision(GROUP).getRaftLog().getFlushIndex();
    } catch (IOException e) {
      return -1;
    }
  }

  /** The last entry that is applied here. */
  public long appliedIndex() {
    return stateMachine.appliedIndex();
  }

  /** The term that this member leads; looked at twice, as the role is read in between. */
  private OptionalLong ledTerm() {
    long term = term();
    return leads() && term == term() ? OptionalLong.of(term) : OptionalLong.empty();
  }

  /** Which member it is that leads and is not this one. */
  private OptionalLong followedLeader() {
    return leader().map(Member::id).filter(id -> !closed && !id.equals(config.self())).stream()
        .mapToLong(this::number)
        .findFirst();
  }

  private int number(String member) {
    List<Member> members = config.members();
    for (int i = 0; i < members.size(); i++) {
      if (members.get(i).id().equals(member)) {
        return i;
      }
    }
    return -1;
  }

  private static <T> CompletableFuture<T> failed(ErrorCode code, String message) {
    return CompletableFuture.failedFuture(new LuciolaException(code, message));
  }

  private void gather() {
    try {
      while (!closed) {
        Submission first = queue.poll(100, TimeUnit.MILLISECONDS);
        if (first != null) {
          entriesFree.acquire();
          send(gathered(first));
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
    var left = new ArrayList<Submission>();
    queue.drainTo(left);
    fail(left, new LuciolaException(ErrorCode.SHUTTING_DOWN, "submit: the log is closed"));
  }

  private List<Submission> gathered(Submission first) {
    var batch = new ArrayList<Submission>();
    batch.add(first);
    long bytes = first.command().getSerializedSize();
    while (batch.size() < config.commandsMax() && bytes < config.bytesMax()) {
      Submission next = queue.poll();
      if (next == null) {
        break;
      }
      batch.add(next);
      bytes += next.command().getSerializedSize();
    }
    return batch;
  }

  private void send(List<Submission> batch) {
    LogEntry.Builder entry = LogEntry.newBuilder();
    long now = nowNanos();
    for (Submission submission : batch) {
      entry.addCommands(submission.command().toBuilder().setNowNanos(now));
    }
    callId++;
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(submitter)
            .setServerId(RaftPeerId.valueOf(config.self()))
            .setGroupId(GROUP)
            .setCallId(callId)
            .setMessage(Message.valueOf(ByteString.copyFrom(entry.build().toByteArray())))
            .setType(RaftClientRequest.writeRequestType())
            .build();
    try {
      var _ =
          server
              .submitClientRequestAsync(request)
              .whenComplete((reply, failure) -> {
                entriesFree.release();
                listener.answering(() -> answer(batch, reply, failure));
              });
    } catch (IOException e) {
      entriesFree.release();
      fail(batch, new LuciolaException(ErrorCode.TIMED_OUT, "submit: " + e.getMessage(), e));
    }
  }

  /** Wall clock, never going back; the state machine holds it against the former leader's too. */
  private long nowNanos() {
    lastNowNanos =
        Math.max(lastNowNanos + 1, TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()));
    return lastNowNanos;
  }

  private static void answer(
      List<Submission> batch, @Nullable RaftClientReply reply, @Nullable Throwable failure) {
    if (failure != null || reply == null || !reply.isSuccess()) {
      boolean notLeader = reply != null && reply.getNotLeaderException() != null;
      Throwable cause = reply == null ? failure : reply.getException();
      fail(
          batch,
          new LuciolaException(
              notLeader ? ErrorCode.NOT_LEADER : ErrorCode.TIMED_OUT, "submit: " + cause, cause));
      return;
    }
    try {
      LogReply replies = LogReply.parseFrom(reply.getMessage().getContent().asReadOnlyByteBuffer());
      for (int i = 0; i < batch.size(); i++) {
        batch.get(i).reply().complete(replies.getReplies(i));
      }
    } catch (InvalidProtocolBufferException | IndexOutOfBoundsException e) {
      fail(batch, new LuciolaException(ErrorCode.INTERNAL, "unreadable reply of the log", e));
    }
  }

  private static void fail(List<Submission> batch, LuciolaException cause) {
    batch.forEach(submission -> submission.reply().completeExceptionally(cause));
  }

  @Override
  public void close() {
    closed = true;
    gatherer.interrupt();
    lateStart.ifPresent(Thread::interrupt);
    progress.close();
    recovery.close();
    if (leaderFence != null) {
      leaderFence.close();
    }
    if (followerFence != null) {
      followerFence.close();
    }
    try {
      gatherer.join();
      server.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new LuciolaException(ErrorCode.DISK_ERROR, "close the replicated log: " + e, e);
    }
  }
}
