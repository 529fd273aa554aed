package luciola.meta.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.ClusterGrpc;
import luciola.grpc.v1.ConfirmReply;
import luciola.grpc.v1.ConfirmRequest;
import luciola.grpc.v1.DataKey;
import luciola.grpc.v1.GetAttributes;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceRequest;
import luciola.grpc.v1.OperateRequest;
import luciola.grpc.v1.ReadIndexReply;
import luciola.grpc.v1.ReadIndexRequest;
import luciola.grpc.v1.RegisterRequest;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.CredentialHeader;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.TestUsers;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Tries to get in. */
class AccessGateTest {
  private static final long CALL_NANOS = TimeUnit.SECONDS.toNanos(20);

  @TempDir Path directory;

  private final Credential.OfServers servers = new Credential.OfServers(TestUsers.secret());
  private Path secretFile = Path.of("");
  private MetaServer server;

  @BeforeEach
  void start() {
    secretFile = directory.resolve("secret");
    CredentialFile.write(secretFile, servers);
    server = MetaServer.start(config());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private MetaServerConfig config() {
    return MetaServerConfig.of(directory.resolve("meta"))
        .withAddress("127.0.0.1", 0)
        .withSecurity(SecuritySettings.required(secretFile));
  }

  private MetaOptions options() {
    return MetaOptions.of(List.of("127.0.0.1:" + server.port())).withCallNanos(CALL_NANOS);
  }

  private MetaConnection showing(Credential credential) {
    return MetaConnection.connect(
        options().withAccess(ClientAccess.NONE.withCredential(credential)));
  }

  /** Makes a user with a token that is good for so long. */
  private Credential.OfUser user(AccessUser user, long lifetimeNanos) {
    try (MetaConnection admin = showing(servers)) {
      return TestUsers.withToken(admin, user, lifetimeNanos);
    }
  }

  private static AccessUser ann() {
    return AccessUser.newBuilder().setName("ann").setUid(1000).setGid(100).build();
  }

  private static void assertRefused(ErrorCode code, Executable attempt) {
    var fault = assertThrows(LuciolaException.class, attempt);
    assertEquals(code, fault.code(), fault.getMessage());
  }

  private static NamespaceRequest.Builder attributes() {
    return NamespaceRequest.newBuilder().setGetAttributes(GetAttributes.newBuilder().setInode(1));
  }

  private static NamespaceRequest.Builder mkdir(String name) {
    return NamespaceRequest.newBuilder()
        .setMakeDirectory(MakeDirectory.newBuilder().setAt(LoopbackClient.at(name)).setMode(0700));
  }

  @Test
  void nobodyIsLetInWithoutAToken() {
    assertRefused(ErrorCode.UNAUTHENTICATED, () -> MetaConnection.connect(options()));
    try (var raw = new LoopbackClient(server.port(), 5)) {
      var fault =
          assertThrows(
              io.grpc.StatusRuntimeException.class,
              () -> raw.call(raw.request().setGetAttributes(GetAttributes.getDefaultInstance())));
      assertEquals(io.grpc.Status.Code.UNAUTHENTICATED, fault.getStatus().getCode());
    }
  }

  @Test
  void anUnknownAWrongAndAnExpiredTokenAreRefused() {
    Credential.OfUser good = user(ann(), 0);
    showing(good).close();
    assertRefused(
        ErrorCode.UNAUTHENTICATED,
        () -> showing(new Credential.OfUser(good.token(), TestUsers.secret())));
    assertRefused(
        ErrorCode.UNAUTHENTICATED,
        () -> showing(new Credential.OfUser(good.token() + 1, good.secret())));
    assertRefused(
        ErrorCode.UNAUTHENTICATED, () -> showing(new Credential.OfServers(good.secret())));
    assertRefused(
        ErrorCode.UNAUTHENTICATED, () -> showing(new Credential.OfServers(TestUsers.secret())));
    assertRefused(ErrorCode.UNAUTHENTICATED, () -> showing(user(ann(), 1)));
  }

  @Test
  void aRevokedTokenIsRefusedOnAStreamThatIsOpen() {
    Credential.OfUser token = user(ann(), 0);
    try (MetaConnection meta = showing(token);
        MetaConnection admin = showing(servers)) {
      var _ = meta.call(attributes());
      var _ = admin.changeAccess(AccessChange.newBuilder().setRevokeToken(token.token()).build());
      assertRefused(ErrorCode.UNAUTHENTICATED, () -> meta.call(attributes()));
    }
  }

  @Test
  void aTokenThatExpiresIsRefusedOnAStreamThatIsOpen() {
    Credential.OfUser token = user(ann(), TimeUnit.SECONDS.toNanos(3));
    try (MetaConnection meta = showing(token)) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (true) {
        try {
          var _ = meta.call(attributes());
        } catch (LuciolaException refused) {
          assertEquals(ErrorCode.UNAUTHENTICATED, refused.code());
          return;
        }
        assertTrue(System.nanoTime() - deadline < 0, "never refused");
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
  }

  @Test
  void theTokenSaysWhoOneIs() {
    try (MetaConnection meta = showing(user(ann(), 0))) {
      Inode made = meta.call(mkdir("of-ann")).getInode();
      assertEquals(1000, made.getUid());
      assertEquals(100, made.getGid());
      Identity another = Identity.newBuilder().setUid(1001).build();
      assertRefused(ErrorCode.NOT_PERMITTED, () -> meta.call(mkdir("of-bob").setIdentity(another)));
      assertEquals(
          1000,
          meta.call(mkdir("of-root").setIdentity(Identity.getDefaultInstance()))
              .getInode()
              .getUid());
    }
    AccessUser bob = AccessUser.newBuilder().setName("bob").setUid(1001).setGid(1001).build();
    try (MetaConnection meta = showing(user(bob, 0))) {
      assertRefused(ErrorCode.PERMISSION_DENIED, () -> meta.call(mkdir("of-ann/below")));
    }
    AccessUser mount =
        AccessUser.newBuilder().setName("mount").setUid(5).setMountForOthers(true).build();
    try (MetaConnection meta = showing(user(mount, 0))) {
      Identity forAnn = Identity.newBuilder().setUid(1000).setGid(100).build();
      assertEquals(1000, meta.call(mkdir("of-ann/below").setIdentity(forAnn)).getInode().getUid());
    }
  }

  @Test
  void usersDoNotOperateAndAreNoServers() {
    try (MetaConnection meta = showing(user(ann(), 0))) {
      var _ = meta.status();
      assertRefused(
          ErrorCode.PERMISSION_DENIED, () -> meta.operate(OperateRequest.getDefaultInstance()));
      assertRefused(ErrorCode.PERMISSION_DENIED, meta::listAccess);
      assertRefused(
          ErrorCode.PERMISSION_DENIED,
          () ->
              meta.changeAccess(
                  AccessChange.newBuilder()
                      .setCreateUser(ann().toBuilder().setName("eve").setAdmin(true))
                      .build()));
      assertRefused(
          ErrorCode.PERMISSION_DENIED, () -> meta.register(RegisterRequest.getDefaultInstance()));
      assertRefused(
          ErrorCode.PERMISSION_DENIED,
          () -> meta.heartbeat(HeartbeatRequest.getDefaultInstance(), CALL_NANOS));
    }
    AccessUser root = AccessUser.newBuilder().setName("op").setUid(7).setAdmin(true).build();
    try (MetaConnection meta = showing(user(root, 0))) {
      assertEquals(2, meta.listAccess().getUsersCount());
      assertTrue(meta.listAccess().getTokensList().stream().allMatch(it -> it.getHash().isEmpty()));
      assertRefused(
          ErrorCode.PERMISSION_DENIED, () -> meta.register(RegisterRequest.getDefaultInstance()));
      assertRefused(
          ErrorCode.NOT_PERMITTED,
          () ->
              meta.changeAccess(
                  AccessChange.newBuilder().setAddKey(DataKey.newBuilder().setId(1)).build()));
    }
  }

  @Test
  void onlyServersAskMembersForTheirTermAndHowFarTheyAre() throws Exception {
    AccessUser root = AccessUser.newBuilder().setName("op").setUid(7).setAdmin(true).build();
    assertEquals(Status.Code.OK, asked(Optional.of(servers)));
    assertEquals(Status.Code.UNAUTHENTICATED, asked(Optional.empty()));
    assertEquals(
        Status.Code.UNAUTHENTICATED,
        asked(Optional.of(new Credential.OfServers(TestUsers.secret()))));
    assertEquals(Status.Code.PERMISSION_DENIED, asked(Optional.of(user(ann(), 0))));
    assertEquals(Status.Code.PERMISSION_DENIED, asked(Optional.of(user(root, 0))));
  }

  /** What both questions of members come to, asked by who shows this. */
  private Status.Code asked(Optional<Credential> shown) throws Exception {
    try (var raw = new LoopbackClient(server.port(), 5)) {
      Channel channel =
          shown
              .map(it -> ClientInterceptors.intercept(raw.channel, CredentialHeader.showing(it)))
              .orElse(raw.channel);
      var stub = ClusterGrpc.newStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
      var terms = new Ending<ConfirmReply>();
      stub.confirm(terms).onNext(ConfirmRequest.newBuilder().setRound(1).build());
      var indexes = new Ending<ReadIndexReply>();
      stub.readIndex(indexes).onNext(ReadIndexRequest.newBuilder().setRound(1).build());
      Status.Code term = terms.code.get(20, TimeUnit.SECONDS);
      assertEquals(term, indexes.code.get(20, TimeUnit.SECONDS));
      return term;
    }
  }

  /** OK once something was answered, else how it ended. */
  private static final class Ending<R> implements StreamObserver<R> {
    final CompletableFuture<Status.Code> code = new CompletableFuture<>();

    @Override
    public void onNext(R reply) {
      code.complete(Status.Code.OK);
    }

    @Override
    public void onError(Throwable failure) {
      code.complete(Status.fromThrowable(failure).getCode());
    }

    @Override
    public void onCompleted() {
      code.complete(Status.Code.UNKNOWN);
    }
  }

  @Test
  void operatorsCallsAndDenialsAreWrittenDown() throws Exception {
    Credential.OfUser token = user(ann(), 0);
    try (MetaConnection meta = showing(token)) {
      assertRefused(ErrorCode.PERMISSION_DENIED, meta::listAccess);
      var _ = meta.call(mkdir("private"));
      Identity another = Identity.newBuilder().setUid(1001).build();
      assertRefused(ErrorCode.NOT_PERMITTED, () -> meta.call(mkdir("x").setIdentity(another)));
    }
    assertRefused(ErrorCode.UNAUTHENTICATED, () -> MetaConnection.connect(options()));
    assertRefused(
        ErrorCode.UNAUTHENTICATED, () -> showing(new Credential.OfServers(TestUsers.secret())));
    server.close();
    List<String> lines = Files.readAllLines(directory.resolve("meta").resolve("audit.log"));
    assertLine(lines, "event=operate", "who=server", "luciola.v1.Access/Change", "ann", "code=OK");
    assertLine(lines, "event=operate", "create_token", "code=OK");
    assertLine(
        lines,
        "event=refused",
        "shown=token:" + token.token(),
        "call=luciola.v1.Access/List",
        "code=PERMISSION_DENIED");
    assertLine(lines, "event=denied", "call=MAKE_DIRECTORY", "code=NOT_PERMITTED", "asked=1001");
    assertLine(lines, "event=refused", "shown=nothing", "Identify", "code=UNAUTHENTICATED");
    for (String line : lines) {
      assertFalse(line.contains("hash"), line);
      assertFalse(line.contains(token.text().substring(6)), line);
      assertFalse(line.contains(servers.text()), line);
    }
  }

  private static void assertLine(List<String> lines, String... parts) {
    assertTrue(
        lines.stream().anyMatch(line -> List.of(parts).stream().allMatch(line::contains)),
        List.of(parts) + " in\n" + String.join("\n", lines));
  }

  @Test
  void aHastyUserWaitsAndLosesNothing() {
    server.close();
    server =
        MetaServer.start(
            config()
                .withSecurity(SecuritySettings.required(secretFile).withOperationsPerSecond(20)));
    try (MetaConnection meta = showing(user(ann(), 0))) {
      long begin = System.nanoTime();
      for (int i = 0; i < 60; i++) {
        var _ = meta.call(mkdir("d" + i));
      }
      long nanos = System.nanoTime() - begin;
      assertTrue(nanos > TimeUnit.MILLISECONDS.toNanos(1900), "60 at 20 a second in ns " + nanos);
    }
  }

  @Test
  void usersAndTokensOutliveARestart() {
    Credential.OfUser token = user(ann(), 0);
    server.close();
    server = MetaServer.start(config());
    try (MetaConnection meta = showing(token)) {
      var _ = meta.call(attributes());
    }
  }

  @Test
  void nothingSecretIsStoredOrAskedForWithoutItsFile() throws Exception {
    Credential.OfUser token = user(ann(), 0);
    server.close();
    try (var files = Files.walk(directory.resolve("meta"))) {
      String secret = token.text().substring(token.text().lastIndexOf('.') + 1);
      byte[] raw = java.util.Base64.getUrlDecoder().decode(secret);
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        ByteString content = ByteString.copyFrom(Files.readAllBytes(file));
        assertFalse(contains(content, ByteString.copyFromUtf8(secret)), file.toString());
        assertFalse(contains(content, ByteString.copyFrom(raw)), file.toString());
      }
    }
    assertThrows(IllegalArgumentException.class, () -> SecuritySettings.required(Path.of("")));
    assertRefused(
        ErrorCode.UNAUTHENTICATED,
        () ->
            MetaServer.start(
                config().withSecurity(SecuritySettings.required(directory.resolve("missing")))));
  }

  private static boolean contains(ByteString content, ByteString part) {
    for (int at = 0; at + part.size() <= content.size(); at++) {
      if (content.byteAt(at) == part.byteAt(0)
          && content.substring(at, at + part.size()).equals(part)) {
        return true;
      }
    }
    return false;
  }
}
