package luciola.meta.log;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.LogEntry;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceRequest;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.apache.ratis.client.RaftClient;
import org.apache.ratis.client.RaftClientConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.proto.RaftProtos.TermIndexProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.security.TlsConf;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.apache.ratis.thirdparty.io.grpc.netty.GrpcSslContexts;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContextBuilder;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who reaches the port by which members replicate their log, and what comes of it. */
class RaftPortTest {
  /** So far ahead that no election gets there by itself. */
  private static final long FAR = 1_000_000;

  private static final long CALL_SECONDS = 10;

  @TempDir Path directory;

  private final List<RunningMember> running = new ArrayList<>();
  private List<Member> members = List.of();

  @BeforeEach
  void chooseAddresses() throws IOException {
    members = RunningMember.three();
  }

  private void start(List<MemberTls> tls) {
    for (int i = 0; i < members.size(); i++) {
      running.add(
          new RunningMember(directory, members, members.get(i), tls.isEmpty() ? null : tls.get(i)));
    }
    RunningMember.await(() -> running.stream().anyMatch(member -> member.log.leads()));
  }

  private void stop() {
    running.forEach(RunningMember::close);
  }

  private MetaLog leader() {
    RunningMember.await(() -> running.stream().anyMatch(member -> member.log.leads()));
    return running.stream()
        .map(member -> member.log)
        .filter(MetaLog::leads)
        .findFirst()
        .orElseThrow();
  }

  private static Command makeCluster() {
    return Command.newBuilder().setInitCluster(InitCluster.newBuilder().setClusterId(9)).build();
  }

  private static Command mkdir(String name) {
    return Command.newBuilder()
        .setNamespace(
            NamespaceRequest.newBuilder()
                .setMakeDirectory(
                    MakeDirectory.newBuilder()
                        .setAt(At.newBuilder().setPath(ByteString.copyFromUtf8(name)))))
        .build();
  }

  /** Who calls: what it shows, and whether it encrypts at all. */
  private record Stranger(String name, boolean encrypts, TestAuthority.@Nullable Issued shows) {
    ManagedChannel channel(int port) throws IOException {
      NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", port);
      if (!encrypts) {
        return builder.usePlaintext().build();
      }
      SslContextBuilder context =
          GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
              .trustManager(InsecureTrustManagerFactory.INSTANCE);
      if (shows != null) {
        context.keyManager(shows.certificate().toFile(), shows.key().toFile());
      }
      return builder.sslContext(context.build()).build();
    }

    Parameters parameters() {
      var parameters = new Parameters();
      if (encrypts) {
        GrpcTlsConfig.Builder tls =
            GrpcTlsConfig.newBuilder()
                .setTrustManager(InsecureTrustManagerFactory.INSTANCE.getTrustManagers()[0])
                .setSslProvider(SslProvider.JDK);
        if (shows != null) {
          tls.setPrivateKey(new TlsConf.PrivateKeyConf(shows.key().toFile()))
              .setKeyCertificates(new TlsConf.CertificatesConf(shows.certificate().toFile()))
              .setMutualTls(true);
        }
        GrpcConfigKeys.TLS.setConf(parameters, tls.build());
      }
      return parameters;
    }
  }

  private static RaftRpcRequestProto.Builder from(String caller, String called) {
    return RaftRpcRequestProto.newBuilder()
        .setRequestorId(bytes(caller))
        .setReplyId(bytes(called))
        .setCallId(1)
        .setRaftGroupId(RaftGroupIdProto.newBuilder().setId(RaftSetup.GROUP.toByteString()));
  }

  private static org.apache.ratis.thirdparty.com.google.protobuf.ByteString bytes(String text) {
    return org.apache.ratis.thirdparty.com.google.protobuf.ByteString.copyFromUtf8(text);
  }

  private static RequestVoteReplyProto vote(ManagedChannel channel, Member called, long term) {
    return RaftServerProtocolServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
        .requestVote(
            RequestVoteRequestProto.newBuilder()
                .setServerRequest(from("m2", called.id()))
                .setCandidateTerm(term)
                .setCandidateLastEntry(TermIndexProto.newBuilder().setTerm(term).setIndex(FAR))
                .build());
  }

  /** An entry of a leader that nobody elected. */
  private static AppendEntriesReplyProto append(ManagedChannel channel, Member called, long term)
      throws Exception {
    var answer = new CompletableFuture<AppendEntriesReplyProto>();
    StreamObserver<AppendEntriesRequestProto> calls =
        RaftServerProtocolServiceGrpc.newStub(channel)
            .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
            .appendEntries(
                new StreamObserver<>() {
                  @Override
                  public void onNext(AppendEntriesReplyProto reply) {
                    answer.complete(reply);
                  }

                  @Override
                  public void onError(Throwable failure) {
                    answer.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {}
                });
    LogEntry planted = LogEntry.newBuilder().addCommands(mkdir("planted")).build();
    calls.onNext(
        AppendEntriesRequestProto.newBuilder()
            .setServerRequest(from("m2", called.id()))
            .setLeaderTerm(term)
            .setPreviousLog(TermIndexProto.newBuilder().setTerm(1).setIndex(FAR - 1))
            .addEntries(
                LogEntryProto.newBuilder()
                    .setTerm(term)
                    .setIndex(FAR)
                    .setStateMachineLogEntry(
                        StateMachineLogEntryProto.newBuilder()
                            .setLogData(
                                org.apache.ratis.thirdparty.com.google.protobuf.ByteString.copyFrom(
                                    planted.toByteArray()))))
            .build());
    try {
      return answer.get(2 * CALL_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException refused) {
      throw refused.getCause() instanceof StatusRuntimeException status ? status : refused;
    }
  }

  /** Ratis' own client, as whoever finds the port would use it. */
  private RaftClient client(Stranger stranger, int port) {
    var properties = new RaftProperties();
    RaftClientConfigKeys.Rpc.setRequestTimeout(
        properties, TimeDuration.valueOf(CALL_SECONDS, TimeUnit.SECONDS));
    Member called = members.stream().filter(it -> it.raftPort() == port).findFirst().orElseThrow();
    RaftPeer peer =
        RaftPeer.newBuilder().setId(called.id()).setAddress("127.0.0.1:" + port).build();
    return RaftClient.newBuilder()
        .setProperties(properties)
        .setParameters(stranger.parameters())
        .setRaftGroup(RaftGroup.valueOf(RaftSetup.GROUP, peer))
        .setLeaderId(peer.getId())
        .setRetryPolicy(RetryPolicies.noRetry())
        .build();
  }

  private void assertSubmitsNothing(Stranger stranger, int port) throws IOException {
    LogEntry entry = LogEntry.newBuilder().addCommands(mkdir("submitted")).build();
    var message =
        Message.valueOf(
            org.apache.ratis.thirdparty.com.google.protobuf.ByteString.copyFrom(
                entry.toByteArray()));
    try (RaftClient client = client(stranger, port)) {
      assertThrows(IOException.class, () -> client.io().send(message), stranger.name());
      assertThrows(
          ExecutionException.class,
          () -> client.async().send(message).get(2 * CALL_SECONDS, TimeUnit.SECONDS),
          stranger.name());
      // As the configuration of the group, this one member alone.
      assertThrows(
          IOException.class,
          () ->
              client
                  .admin()
                  .setConfiguration(
                      client.getGroupId().equals(RaftSetup.GROUP)
                          ? List.of(
                              RaftPeer.newBuilder()
                                  .setId("m2")
                                  .setAddress("127.0.0.1:" + port)
                                  .build())
                          : List.of()),
          stranger.name());
    }
  }

  private void assertRefused(Stranger stranger, Member called) throws Exception {
    ManagedChannel channel = stranger.channel(called.raftPort());
    try {
      long term = leader().term() + FAR;
      assertThrows(
          StatusRuntimeException.class, () -> vote(channel, called, term), stranger.name());
      assertThrows(
          StatusRuntimeException.class, () -> append(channel, called, term), stranger.name());
    } finally {
      channel.shutdownNow();
    }
    assertSubmitsNothing(stranger, called.raftPort());
  }

  @Test
  void onlyMembersAreAnswered() throws Exception {
    var authority = new TestAuthority(directory, "authority");
    List<TestAuthority.Issued> issued = new ArrayList<>();
    for (Member member : members) {
      issued.add(authority.issue(member.id()));
    }
    Path listed =
        TestAuthority.together(
            directory.resolve("members.pem"),
            issued.stream().map(TestAuthority.Issued::certificate).toArray(Path[]::new));
    List<Stranger> strangers =
        List.of(
            new Stranger("plain", false, null),
            new Stranger("without a certificate", true, null),
            new Stranger(
                "another authority's", true, new TestAuthority(directory, "other").issue("m9")),
            new Stranger("the authority's, and no member's", true, authority.issue("storage")));
    start(issued.stream().map(own -> new MemberTls(own.certificate(), own.key(), listed)).toList());
    try {
      RunningMember.submit(leader(), makeCluster());
      RunningMember.submit(leader(), mkdir("before"));
      MetaLog leader = leader();
      RunningMember.await(() ->
          running.stream().allMatch(member -> member.log.appliedIndex() == leader.appliedIndex()));
      for (Stranger stranger : strangers) {
        for (Member called : members) {
          assertRefused(stranger, called);
        }
      }
      RunningMember.submit(leader(), mkdir("after"));
      for (RunningMember member : running) {
        RunningMember.await(() -> member.inodes() == 3);
        assertTrue(member.log.term() < FAR, "term=" + member.log.term());
      }

      // The same calls, of a member: heard, and refused for what they say.
      var member = new Stranger("a member", true, issued.getFirst());
      ManagedChannel channel = member.channel(members.getLast().raftPort());
      try {
        assertDoesNotThrow(() -> vote(channel, members.getLast(), 0));
        assertDoesNotThrow(() -> append(channel, members.getLast(), 0));
      } finally {
        channel.shutdownNow();
      }
      assertSubmitsNothing(member, leader().raftPort());

      // The leader ends; the others go on, and it comes back.
      RunningMember ended =
          running.stream().filter(one -> one.log.leads()).findFirst().orElseThrow();
      int number = running.indexOf(ended);
      ended.close();
      running.remove(ended);
      RunningMember.submit(leader(), mkdir("without"));
      var again =
          new RunningMember(
              directory,
              members,
              members.get(number),
              new MemberTls(issued.get(number).certificate(), issued.get(number).key(), listed));
      running.add(again);
      RunningMember.await(() -> again.inodes() == 4);
    } finally {
      stop();
    }
  }

  /** What the certificates keep out: the same caller has its way where there are none. */
  @Test
  void withoutCertificatesACallerMovesTheTermAndStillSubmitsNothing() throws Exception {
    start(List.of());
    try {
      RunningMember.submit(leader(), makeCluster());
      var stranger = new Stranger("plain", false, null);
      assertSubmitsNothing(stranger, leader().raftPort());
      Member called = members.getFirst();
      ManagedChannel channel = stranger.channel(called.raftPort());
      try {
        assertDoesNotThrow(() -> append(channel, called, FAR));
      } finally {
        channel.shutdownNow();
      }
      RunningMember.await(() -> running.getFirst().log.term() >= FAR);
    } finally {
      stop();
    }
  }

  @Test
  void theMembersMayHaveAnAuthorityOfTheirOwn() throws Exception {
    var own = new TestAuthority(directory, "of-members");
    TestAuthority.Issued member = own.issue("member");
    var general = new TestAuthority(directory, "general");
    TestAuthority.Issued other = general.issue("other");
    var tls = new MemberTls(member.certificate(), member.key(), own.certificate());
    start(List.of(tls, tls, tls));
    try {
      RunningMember.submit(leader(), makeCluster());
      var stranger = new Stranger("of the general authority", true, other);
      assertRefused(stranger, members.getFirst());
      RunningMember.submit(leader(), mkdir("after"));
    } finally {
      stop();
    }
  }

  @Test
  void aMemberThatTheOthersWouldRefuseDoesNotStart() throws Exception {
    var authority = new TestAuthority(directory, "authority");
    TestAuthority.Issued member = authority.issue("member");
    TestAuthority.Issued other = authority.issue("other");
    TestAuthority.Issued expired =
        authority.issue("expired", "-startdate", "-3d", "-validity", "1");
    Path key = directory.resolve("nothing");
    assertNotTaken(new MemberTls(other.certificate(), other.key(), member.certificate()));
    assertNotTaken(new MemberTls(expired.certificate(), expired.key(), expired.certificate()));
    assertNotTaken(new MemberTls(member.certificate(), member.key(), member.key()));
    assertNotTaken(new MemberTls(member.certificate(), key, member.certificate()));
    assertNotTaken(new MemberTls(member.certificate(), member.key(), key));
  }

  private void assertNotTaken(MemberTls tls) {
    var refused =
        assertThrows(
            LuciolaException.class,
            () -> new RunningMember(directory, members, members.getFirst(), tls).close());
    assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code(), refused.getMessage());
  }

  @Test
  void aLoneMembersPortAnswersNobody() throws Exception {
    Member alone = new Member("m1", "127.0.0.1", 0, 0);
    try (var one = new RunningMember(directory, List.of(alone), alone)) {
      RunningMember.await(one.log::leads);
      long term = one.log.term();
      ManagedChannel channel = new Stranger("plain", false, null).channel(one.log.raftPort());
      try {
        assertThrows(StatusRuntimeException.class, () -> vote(channel, alone, FAR));
        assertThrows(StatusRuntimeException.class, () -> append(channel, alone, FAR));
      } finally {
        channel.shutdownNow();
      }
      RunningMember.submit(one.log, makeCluster());
      assertEquals(term, one.log.term());
    }
  }
}
