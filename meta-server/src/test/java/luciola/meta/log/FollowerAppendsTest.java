package luciola.meta.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import luciola.grpc.v1.LogEntry;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto.AppendResult;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.proto.RaftProtos.TermIndexProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a member says it has, it has: a leader counts on it. */
@Timeout(120)
class FollowerAppendsTest {
  private static final long TERM = 1_000_000;
  private static final int ROUNDS = 50;

  @TempDir Path directory;

  /** The leader's side of the port, played by this test. */
  private static final class Leader implements AutoCloseable {
    private final Member called;
    private final ManagedChannel channel;
    private final BlockingQueue<AppendEntriesReplyProto> replies = new LinkedBlockingQueue<>();
    private final StreamObserver<AppendEntriesRequestProto> requests;
    private final CompletableFuture<Throwable> broken = new CompletableFuture<>();
    private long calls;

    Leader(Member called) {
      this.called = called;
      this.channel =
          NettyChannelBuilder.forAddress("127.0.0.1", called.raftPort()).usePlaintext().build();
      this.requests =
          RaftServerProtocolServiceGrpc.newStub(channel)
              .appendEntries(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(AppendEntriesReplyProto reply) {
                      replies.add(reply);
                    }

                    @Override
                    public void onError(Throwable failure) {
                      broken.complete(failure);
                    }

                    @Override
                    public void onCompleted() {}
                  });
    }

    /** Sends the entries from {@code from} up to before {@code to}; none as a question. */
    void send(long from, long to) {
      var request =
          AppendEntriesRequestProto.newBuilder()
              .setServerRequest(
                  RaftRpcRequestProto.newBuilder()
                      .setRequestorId(ByteString.copyFromUtf8("m2"))
                      .setReplyId(ByteString.copyFromUtf8(called.id()))
                      .setCallId(++calls)
                      .setRaftGroupId(
                          RaftGroupIdProto.newBuilder().setId(RaftSetup.GROUP.toByteString())))
              .setLeaderTerm(TERM)
              .setLeaderCommit(-1);
      if (from > 0) {
        request.setPreviousLog(TermIndexProto.newBuilder().setTerm(TERM).setIndex(from - 1));
      }
      LongStream.range(from, to).mapToObj(Leader::entry).forEach(request::addEntries);
      requests.onNext(request.build());
    }

    private static LogEntryProto.Builder entry(long index) {
      ByteString nothing = ByteString.copyFrom(LogEntry.getDefaultInstance().toByteArray());
      return LogEntryProto.newBuilder()
          .setTerm(TERM)
          .setIndex(index)
          .setStateMachineLogEntry(
              StateMachineLogEntryProto.newBuilder()
                  .setClientId(ClientId.emptyClientId().toByteString())
                  .setLogData(nothing));
    }

    AppendEntriesReplyProto reply() throws InterruptedException {
      AppendEntriesReplyProto reply = replies.poll(20, TimeUnit.SECONDS);
      assertTrue(reply != null, () -> "no reply: " + broken.getNow(null));
      return reply;
    }

    @Override
    public void close() {
      channel.shutdownNow();
    }
  }

  /**
   * As a leader does that gave up waiting: it sends the same entries again, and more that came
   * meanwhile, before the first are written. A member that calls them known, as it has some of
   * them, makes the leader count entries that are nowhere else.
   */
  @Test
  void whatIsSentAgainWithMoreBehindItIsAppendedWholeBeforeItIsAcknowledged() throws Exception {
    List<Member> members = RunningMember.three();
    Member called = members.getFirst();
    try (var member = new RunningMember(directory, members, called);
        var leader = new Leader(called)) {
      RunningMember.await(() -> member.log.term() >= 0);
      long next = 0;
      for (int round = 0; round < ROUNDS; round++) {
        leader.send(next, next + 10);
        leader.send(next, next + 30);
        assertEquals(AppendResult.SUCCESS, leader.reply().getResult());
        assertEquals(AppendResult.SUCCESS, leader.reply().getResult());
        next += 30;
        leader.send(next, next);
        AppendEntriesReplyProto reply = leader.reply();
        assertEquals(
            AppendResult.SUCCESS,
            reply.getResult(),
            "acknowledged, and not there: entries=" + (next - reply.getNextIndex()));
      }
    }
  }

  /** As a leader does whose connection broke: by another stream, while the first are written. */
  @Test
  void whatIsSentAgainByAnotherStreamIsOnTheDiskBeforeItIsAcknowledged() throws Exception {
    List<Member> members = RunningMember.three();
    Member called = members.getFirst();
    try (var member = new RunningMember(directory, members, called);
        var leader = new Leader(called);
        var again = new Leader(called)) {
      RunningMember.await(() -> member.log.term() >= 0);
      long next = 0;
      for (int round = 0; round < ROUNDS; round++) {
        leader.send(next, next + 500);
        again.send(next, next + 500);
        assertEquals(AppendResult.SUCCESS, again.reply().getResult());
        long flushed = member.log.flushedIndex();
        next += 500;
        assertTrue(flushed >= next - 1, "not on the disk: entries=" + (next - 1 - flushed));
        assertEquals(AppendResult.SUCCESS, leader.reply().getResult());
      }
    }
  }
}
