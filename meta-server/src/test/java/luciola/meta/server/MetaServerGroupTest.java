package luciola.meta.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.MetaStatus;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.log.Member;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members in one process. */
class MetaServerGroupTest {
  private static final int MADE = 20;

  private final List<Member> members = new ArrayList<>();
  private final List<MetaServer> servers = new ArrayList<>();

  @TempDir Path directory;

  @BeforeEach
  void nameThree() throws IOException {
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), freePort()));
    }
  }

  @AfterEach
  void closeAll() {
    servers.forEach(MetaServer::close);
  }

  private void startAll(SecuritySettings security) {
    members.forEach(member -> servers.add(start(member, security)));
  }

  @Test
  void aMinorityMayStopAndOneThatComesBackCatchesUp() throws Exception {
    startAll(SecuritySettings.OFF);
    MetaServer leader = awaitLeader();
    long cluster = leader.clusterId();
    try (var client = new LoopbackClient(leader.port(), 5)) {
      make(client, 0);
    }
    MetaServer follower =
        servers.stream().filter(server -> !server.leads()).findFirst().orElseThrow();
    try (var client = new LoopbackClient(follower.port(), 6)) {
      NamespaceReply refused = lookup(client, "/d1");
      assertEquals(ErrorCode.NOT_LEADER.number(), refused.getCode());
      assertEquals("127.0.0.1:" + leader.port(), refused.getLeader());
    }
    try (var changing = new LoopbackClient(leader.port(), 9);
        var reading = new LoopbackClient(follower.port(), 10)) {
      readWhatWasJustMade(changing, reading);
    }

    // The majority goes on without it; it comes back and counts again.
    Member absent =
        members.stream()
            .filter(member -> member.servicePort() == follower.port())
            .findFirst()
            .orElseThrow();
    follower.close();
    servers.remove(follower);
    try (var client = new LoopbackClient(leader.port(), 8)) {
      make(client, MADE);
    }
    servers.add(start(absent, SecuritySettings.OFF));

    leader.close();
    servers.remove(leader);
    MetaServer next = awaitLeader();
    assertEquals(cluster, next.clusterId());
    try (var client = new LoopbackClient(next.port(), 7)) {
      for (int i = 0; i < 2 * MADE; i++) {
        NamespaceReply found = lookup(client, "/d" + i);
        assertEquals(0, found.getCode(), found.getMessage());
      }
      assertEquals(0, mkdir(client, "/after").getCode());
    }
  }

  private Credential.OfServers secret(Path file) {
    byte[] bytes = new byte[Secret.BYTES];
    new SecureRandom().nextBytes(bytes);
    var secret = new Credential.OfServers(Secret.of(bytes));
    CredentialFile.write(file, secret);
    return secret;
  }

  /** They are asked for their terms like everything else: by whom they know. */
  @Test
  void membersThatAskWhoCallsAnswerEachOther() throws Exception {
    Path file = directory.resolve("secret");
    ClientAccess access = ClientAccess.NONE.withCredential(secret(file));
    startAll(SecuritySettings.required(file));
    MetaServer _ = awaitLeader();
    makeAndReadAnywhere(access, "/s");
  }

  @Test
  void membersThatEncryptEverythingGoOnWithoutTheirLeaderAndTakeItInAgain() throws Exception {
    Path file = directory.resolve("secret");
    var authority = new TestAuthority(directory, "authority");
    List<SecuritySettings> settings = new ArrayList<>();
    List<Path> certificates = new ArrayList<>();
    Path listed = directory.resolve("members.pem");
    ClientAccess access =
        ClientAccess.NONE
            .withAuthorities(authority.certificate().toString())
            .withCredential(secret(file));
    for (Member member : members) {
      TestAuthority.Issued own = authority.issue(member.id());
      certificates.add(own.certificate());
      settings.add(
          SecuritySettings.required(file)
              .withTls(own.certificate(), own.key(), authority.certificate())
              .withMembers(listed));
    }
    TestAuthority.together(listed, certificates.toArray(Path[]::new));
    for (int i = 0; i < members.size(); i++) {
      servers.add(start(members.get(i), settings.get(i)));
    }
    MetaServer leader = awaitLeader();
    makeAndReadAnywhere(access, "/before");
    int number = members.indexOf(at(leader.port()));
    leader.close();
    servers.remove(leader);
    awaitLeader();
    makeAndReadAnywhere(access, "/without");
    servers.add(start(members.get(number), settings.get(number)));
    makeAndReadAnywhere(access, "/again");
    int last = servers.getLast().port();
    await(() -> readsHere(access, last));
  }

  /** A leader that knew it before believes that it has everything: it is asked itself. */
  @Test
  void aMemberThatLostItsDiskIsKnownToHaveNothingUntilItWasFilled() throws Exception {
    startAll(SecuritySettings.OFF);
    MetaServer leader = awaitLeader();
    makeAndReadAnywhere(ClientAccess.NONE, "/without");
    MetaServer follower =
        servers.stream().filter(server -> server != leader).findFirst().orElseThrow();
    Member emptied = at(follower.port());
    await(() -> has(emptied));
    follower.close();
    servers.remove(follower);
    MoreFiles.deleteRecursively(
        directory.resolve(emptied.id()), RecursiveDeleteOption.ALLOW_INSECURE);
    servers.add(start(emptied, SecuritySettings.OFF));
    await(() -> status(emptied).filter(MetaStatus::getEmpty).isPresent());
    await(() -> has(emptied));
    assertTrue(readsHere(ClientAccess.NONE, emptied.servicePort()));
  }

  /**
   * They would be a majority, and have forgotten everything. An operator copies what the third has.
   */
  @Test
  void twoThatLostTheirDisksElectNobodyAndWhatTheThirdHasCanBeSaved() throws Exception {
    startAll(SecuritySettings.OFF);
    MetaServer _ = awaitLeader();
    makeAndReadAnywhere(ClientAccess.NONE, "/without");
    await(() -> readsHere(ClientAccess.NONE, members.getFirst().servicePort()));
    for (int i = 2; i >= 1; i--) {
      servers.remove(i).close();
      MoreFiles.deleteRecursively(
          directory.resolve(members.get(i).id()), RecursiveDeleteOption.ALLOW_INSECURE);
    }
    servers.add(start(members.get(1), SecuritySettings.OFF));
    servers.add(start(members.get(2), SecuritySettings.OFF));
    // One that led notices in a while that nobody answers.
    await(() -> servers.stream().noneMatch(MetaServer::leads));
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (System.nanoTime() - until < 0) {
      assertTrue(servers.stream().noneMatch(MetaServer::leads));
      LockSupport.parkNanos(2_000_000);
    }
    servers.remove(1).close();
    servers.removeFirst().close();
    Path lost = directory.resolve(members.get(1).id());
    MoreFiles.deleteRecursively(lost, RecursiveDeleteOption.ALLOW_INSECURE);
    copy(directory.resolve(members.getFirst().id()), lost);
    servers.add(start(members.getFirst(), SecuritySettings.OFF));
    servers.add(start(members.get(1), SecuritySettings.OFF));
    MetaServer _ = awaitLeader();
    for (Member member : members) {
      await(() -> readsHere(ClientAccess.NONE, member.servicePort()));
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.toList()) {
        Files.copy(each, to.resolve(from.relativize(each)));
      }
    }
  }

  private boolean has(Member member) {
    return status(member)
        .filter(status -> !status.getEmpty() && status.getBehindEntries() == 0)
        .isPresent();
  }

  /** What the one that leads says of a member, if there is one that does. */
  private Optional<MetaStatus> status(Member member) {
    try (var connection =
        MetaConnection.connect(
            MetaOptions.of(members.stream().map(Member::serviceAddress).toList())
                .withCallNanos(TimeUnit.SECONDS.toNanos(5)))) {
      return connection.status().getMetasList().stream()
          .filter(status -> status.getAddress().equals(member.serviceAddress()))
          .findFirst();
    } catch (LuciolaException notNow) {
      return Optional.empty();
    }
  }

  private Member at(int port) {
    return members.stream().filter(it -> it.servicePort() == port).findFirst().orElseThrow();
  }

  /** Whether this member, asked alone, has what was made while it was away. */
  private boolean readsHere(ClientAccess access, int port) {
    try (var connection =
        MetaConnection.connect(
            MetaOptions.of(List.of(at(port).serviceAddress()))
                .withAccess(access)
                .withCallNanos(TimeUnit.SECONDS.toNanos(5))
                .withReadsAnywhere(true))) {
      return connection
              .call(
                  NamespaceRequest.newBuilder()
                      .setLookup(Lookup.newBuilder().setAt(LoopbackClient.at("/without0"))))
              .getCode()
          == 0;
    } catch (LuciolaException notYet) {
      return false;
    }
  }

  private void makeAndReadAnywhere(ClientAccess access, String prefix) {
    List<String> addresses = members.stream().map(Member::serviceAddress).toList();
    try (var connection =
        MetaConnection.connect(
            MetaOptions.of(addresses).withAccess(access).withReadsAnywhere(true))) {
      for (int i = 0; i < MADE; i++) {
        At path = LoopbackClient.at(prefix + i);
        var _ =
            connection.call(
                NamespaceRequest.newBuilder()
                    .setMakeDirectory(MakeDirectory.newBuilder().setAt(path).setMode(0755)));
        assertEquals(
            0,
            connection
                .call(NamespaceRequest.newBuilder().setLookup(Lookup.newBuilder().setAt(path)))
                .getCode());
      }
    }
  }

  @Test
  void severalThatEncryptHaveToSayWhoTheMembersAre() throws Exception {
    SecuritySettings unsaid =
        SecuritySettings.OFF.withTls(Path.of("own.pem"), Path.of("own.key"), Path.of("all.pem"));
    var refused =
        assertThrows(
            IllegalArgumentException.class, () -> start(members.getFirst(), unsaid).close());
    assertTrue(String.valueOf(refused.getMessage()).contains("security.memberCertificates"));
  }

  /** A member that does not lead knows at once what was answered by the one that does. */
  private static void readWhatWasJustMade(LoopbackClient changing, LoopbackClient reading) {
    for (int i = 0; i < MADE; i++) {
      String path = "/at-once-" + i;
      assertEquals(0, mkdir(changing, path).getCode());
      NamespaceReply found =
          reading.call(
              reading
                  .request()
                  .setAnyMember(true)
                  .setLookup(Lookup.newBuilder().setAt(LoopbackClient.at(path))));
      assertEquals(0, found.getCode(), found.getMessage());
    }
    NamespaceReply change =
        reading.call(
            reading
                .request()
                .setAnyMember(true)
                .setMakeDirectory(
                    MakeDirectory.newBuilder().setAt(LoopbackClient.at("/not-here"))));
    assertEquals(ErrorCode.NOT_LEADER.number(), change.getCode());
  }

  private static void make(LoopbackClient client, int first) {
    for (int i = first; i < first + MADE; i++) {
      NamespaceReply made = mkdir(client, "/d" + i);
      assertEquals(0, made.getCode(), made.getMessage());
    }
  }

  private MetaServer start(Member self, SecuritySettings security) {
    return MetaServer.start(
        MetaServerConfig.of(directory.resolve(self.id()))
            .withAddress("127.0.0.1", self.servicePort())
            .withMembers(self.id(), members)
            .withSecurity(security));
  }

  private static NamespaceReply mkdir(LoopbackClient client, String path) {
    return client.call(
        client
            .request()
            .setMakeDirectory(
                MakeDirectory.newBuilder().setAt(LoopbackClient.at(path)).setMode(0755)));
  }

  private static NamespaceReply lookup(LoopbackClient client, String path) {
    return client.call(
        client.request().setLookup(Lookup.newBuilder().setAt(LoopbackClient.at(path))));
  }

  private MetaServer awaitLeader() {
    await(() -> servers.stream().anyMatch(server -> server.leads() && server.clusterId() != 0));
    return servers.stream().filter(MetaServer::leads).findFirst().orElseThrow();
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "waited too long");
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      return probe.getLocalPort();
    }
  }
}
