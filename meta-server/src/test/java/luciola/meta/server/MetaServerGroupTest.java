package luciola.meta.server;

import static luciola.meta.server.LoopbackClient.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.grpc.v1.At;
import luciola.grpc.v1.Lookup;
import luciola.grpc.v1.MakeDirectory;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.log.Member;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.access.Secret;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.error.ErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members in one process. */
class MetaServerGroupTest {
  private static final int MADE = 60;

  @TempDir Path directory;

  @Test
  void aMinorityMayStopAndOneThatComesBackCatchesUp() throws Exception {
    List<Member> members = three();
    List<MetaServer> servers = new ArrayList<>();
    try {
      for (Member member : members) {
        servers.add(start(members, member, SecuritySettings.OFF));
      }
      MetaServer leader = awaitLeader(servers);
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
      servers.add(start(members, absent, SecuritySettings.OFF));

      leader.close();
      servers.remove(leader);
      MetaServer next = awaitLeader(servers);
      assertEquals(cluster, next.clusterId());
      try (var client = new LoopbackClient(next.port(), 7)) {
        for (int i = 0; i < 2 * MADE; i++) {
          NamespaceReply found = lookup(client, "/d" + i);
          assertEquals(0, found.getCode(), found.getMessage());
        }
        assertEquals(0, mkdir(client, "/after").getCode());
      }
    } finally {
      servers.forEach(MetaServer::close);
    }
  }

  private static List<Member> three() throws IOException {
    List<Member> members = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      members.add(new Member("m" + i, "127.0.0.1", freePort(), freePort()));
    }
    return members;
  }

  /** They are asked for their terms like everything else: by whom they know. */
  @Test
  void membersThatAskWhoCallsAnswerEachOther() throws Exception {
    Path file = directory.resolve("secret");
    byte[] bytes = new byte[Secret.BYTES];
    new SecureRandom().nextBytes(bytes);
    var secret = new Credential.OfServers(Secret.of(bytes));
    CredentialFile.write(file, secret);
    List<Member> members = three();
    List<MetaServer> servers = new ArrayList<>();
    try {
      for (Member member : members) {
        servers.add(start(members, member, SecuritySettings.required(file)));
      }
      MetaServer _ = awaitLeader(servers);
      List<String> addresses = members.stream().map(Member::serviceAddress).toList();
      try (var connection =
          MetaConnection.connect(
              MetaOptions.of(addresses)
                  .withAccess(ClientAccess.NONE.withCredential(secret))
                  .withReadsAnywhere(true))) {
        for (int i = 0; i < MADE; i++) {
          At path = at("/s" + i);
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
    } finally {
      servers.forEach(MetaServer::close);
    }
  }

  /** A member that does not lead knows at once what was answered by the one that does. */
  private static void readWhatWasJustMade(LoopbackClient changing, LoopbackClient reading) {
    for (int i = 0; i < MADE; i++) {
      String path = "/at-once-" + i;
      assertEquals(0, mkdir(changing, path).getCode());
      NamespaceReply found =
          reading.call(
              reading.request().setAnyMember(true).setLookup(Lookup.newBuilder().setAt(at(path))));
      assertEquals(0, found.getCode(), found.getMessage());
    }
    NamespaceReply change =
        reading.call(
            reading
                .request()
                .setAnyMember(true)
                .setMakeDirectory(MakeDirectory.newBuilder().setAt(at("/not-here"))));
    assertEquals(ErrorCode.NOT_LEADER.number(), change.getCode());
  }

  private static void make(LoopbackClient client, int first) {
    for (int i = first; i < first + MADE; i++) {
      NamespaceReply made = mkdir(client, "/d" + i);
      assertEquals(0, made.getCode(), made.getMessage());
    }
  }

  private MetaServer start(List<Member> members, Member self, SecuritySettings security) {
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
            .setMakeDirectory(MakeDirectory.newBuilder().setAt(at(path)).setMode(0755)));
  }

  private static NamespaceReply lookup(LoopbackClient client, String path) {
    return client.call(client.request().setLookup(Lookup.newBuilder().setAt(at(path))));
  }

  private static MetaServer awaitLeader(List<MetaServer> servers) {
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
