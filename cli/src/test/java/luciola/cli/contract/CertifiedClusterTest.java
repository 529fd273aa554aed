package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import luciola.cli.Run;
import luciola.cli.terminal.ExitCode;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.grpc.v1.AccessChange;
import luciola.grpc.v1.AccessUser;
import luciola.grpc.v1.CreateTableRequest;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.access.ClientAccess;
import luciola.protocol.access.Credential;
import luciola.protocol.certificate.TestAuthority;
import luciola.protocol.control.CredentialFile;
import luciola.protocol.control.MetaConnection;
import luciola.protocol.control.MetaOptions;
import luciola.protocol.control.SecuritySettings;
import luciola.protocol.control.TestUsers;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users who show a certificate in place of a token, and attempts to get in with others. */
class CertifiedClusterTest {
  private static final String[] FOR_CALLERS = {"-ext", "eku=clientAuth"};

  @TempDir private Path directory;

  private final Credential.OfServers secret = new Credential.OfServers(TestUsers.secret());
  private TestAuthority own;
  private MetaServer meta;
  private StorageServer storage;
  private Credential bobsToken = secret;

  @BeforeEach
  void start() throws Exception {
    own = new TestAuthority(directory, "own");
    TestAuthority.Issued server = own.issue("server", "-ext", "eku=serverAuth");
    Path file = directory.resolve("secret");
    CredentialFile.write(file, secret);
    SecuritySettings security =
        SecuritySettings.required(file)
            .withTimes(Duration.ofSeconds(3), Duration.ofSeconds(60))
            .withTls(server.certificate(), server.key(), own.certificate());
    meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withSecurity(security.withClientAuthorities(own.certificate())));
    storage =
        StorageServer.start(
            StorageServerConfig.of(
                    directory.resolve("storage"), List.of(directory.resolve("target")), addresses())
                .withSecurity(security));
    try (MetaConnection admin = connection(reach().withCredential(secret))) {
      var _ = admin.createTable(CreateTableRequest.newBuilder().setReplicas(1).build());
      TestUsers.create(admin, user("ann", 1000));
      bobsToken = TestUsers.withToken(admin, user("bob", 1001));
    }
  }

  private static AccessUser user(String name, int uid) {
    return AccessUser.newBuilder().setName(name).setUid(uid).setGid(uid).build();
  }

  @AfterEach
  void stop() {
    storage.close();
    meta.close();
  }

  private List<String> addresses() {
    return List.of("127.0.0.1:" + meta.port());
  }

  private ClientAccess reach() {
    return ClientAccess.NONE.withAuthorities(own.certificate().toString());
  }

  private ClientAccess showing(TestAuthority.Issued certificate) {
    return reach()
        .withCertificate(certificate.certificate().toString(), certificate.key().toString());
  }

  private MetaConnection connection(ClientAccess access) {
    return MetaConnection.connect(
        MetaOptions.of(addresses())
            .withCallNanos(Duration.ofSeconds(20).toNanos())
            .withAccess(access));
  }

  private ClusterFileSystem as(ClientAccess access) {
    return ClusterFileSystem.connect(ClusterOptions.of(addresses()).withAccess(access));
  }

  private static void write(ClusterFileSystem files, String path, String content) {
    try (WritableFile file =
        files.openWrite(path, new OpenOptions(true, true, false, 0600, 1 << 20, 0))) {
      file.write(0, MemorySegment.ofArray(content.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private static String read(ClusterFileSystem files, String path) {
    try (ReadableFile file = files.openRead(path);
        Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(file.length());
      assertEquals(into.byteSize(), file.read(0, into).join());
      return new String(into.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  private static void assertRefused(ErrorCode code, String why, Runnable attempt) {
    var fault = assertThrows(LuciolaException.class, attempt::run);
    assertEquals(code, fault.code(), fault.getMessage());
    String said = String.valueOf(fault.getMessage());
    assertTrue(said.contains(why), said);
  }

  /** What opens need on the data plane comes with them, and is renewed. */
  @Test
  void aCertificateIsEnoughForNamesAndBytes() throws Exception {
    TestAuthority.Issued ann = own.issue("ann", FOR_CALLERS);
    TestAuthority.Issued byUri =
        own.issue("device-17", "-ext", "eku=clientAuth", "-ext", "san=uri:luciola:user:bob");
    try (ClusterFileSystem anns = as(showing(ann));
        ClusterFileSystem bobs = as(showing(byUri))) {
      write(anns, "/of-ann", "private");
      assertEquals("private", read(anns, "/of-ann"));
      assertEquals(1000, anns.stat("/of-ann").uid());
      assertRefused(ErrorCode.PERMISSION_DENIED, "/of-ann", () -> read(bobs, "/of-ann"));
      write(bobs, "/of-bob", "his");
      assertEquals(1001, bobs.stat("/of-bob").uid());
      // Longer than a pass is good for.
      long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
      while (System.nanoTime() < end) {
        assertEquals("private", read(anns, "/of-ann"));
      }
      assertRefused(
          ErrorCode.PERMISSION_DENIED, "not for this caller", () -> anns.meta().listAccess());
    }
  }

  @Test
  void othersAreRefusedAndToldWhyAndOnRecord() throws Exception {
    var other = new TestAuthority(directory, "other");
    record Row(TestAuthority.Issued shown, String why) {}
    String[] members = {"-ext", "eku=serverAuth,clientAuth"};
    String[] expired = {"-ext", "eku=clientAuth", "-startdate", "-3d", "-validity", "1"};
    String[] asAnn = {"-dname", "CN=ann", "-ext", "eku=clientAuth"};
    for (Row row :
        List.of(
            new Row(other.issue("ann-of-others", asAnn), "no authority of users"),
            new Row(own.issue("late", expired), "expired"),
            new Row(own.issue("eve", FOR_CALLERS), "no such user: user=eve"),
            new Row(own.issue("member", members), "a server's"),
            new Row(own.issue("plain"), "clientAuth"),
            new Row(own.issue("s2", "-dname", "CN=ann", "-ext", "eku=serverAuth"), "clientAuth"),
            new Row(
                new TestAuthority.Issued(own.certificate(), directory.resolve("own.key")),
                "an authority's"))) {
      assertRefused(
          ErrorCode.UNAUTHENTICATED, row.why(), () -> connection(showing(row.shown())).close());
    }
    assertRefused(ErrorCode.UNAUTHENTICATED, "no token", () -> connection(reach()).close());
    meta.close();
    String audit = Files.readString(directory.resolve("meta").resolve("audit.log"));
    assertTrue(
        audit
            .lines()
            .anyMatch(line ->
                line.contains("event=refused")
                    && line.contains("certificate:")
                    && line.contains("CN=eve")
                    && line.contains("no such user")),
        audit);
  }

  @Test
  void aTokenBesideItIsWhatCounts() throws Exception {
    TestAuthority.Issued ann = own.issue("ann", FOR_CALLERS);
    try (ClusterFileSystem both = as(showing(ann).withCredential(bobsToken))) {
      write(both, "/of-both", "x");
      assertEquals(1001, both.stat("/of-both").uid());
    }
    // A bad token is not made good by a certificate, nor is a good one made bad.
    Credential unknown = new Credential.OfUser(77, TestUsers.secret());
    assertRefused(
        ErrorCode.UNAUTHENTICATED,
        "token is unknown",
        () -> connection(showing(ann).withCredential(unknown)).close());
    TestAuthority.Issued eve = own.issue("eve", FOR_CALLERS);
    connection(showing(eve).withCredential(bobsToken)).close();
  }

  @Test
  void whoIsRemovedIsRefusedOnAnOpenConnection() throws Exception {
    try (ClusterFileSystem anns = as(showing(own.issue("ann", FOR_CALLERS)));
        MetaConnection admin = connection(reach().withCredential(secret))) {
      write(anns, "/of-ann", "x");
      var _ = admin.changeAccess(AccessChange.newBuilder().setRemoveUser("ann").build());
      assertRefused(ErrorCode.UNAUTHENTICATED, "no such user", () -> anns.stat("/of-ann"));
    }
  }

  @Test
  void commandsShowIt() throws Exception {
    TestAuthority.Issued ann = own.issue("ann", FOR_CALLERS);
    var run = new Run().in(directory);
    String at = "--cluster=" + addresses().getFirst();
    String believed = "--authorities=own.pem";
    assertEquals(ExitCode.WRONG_USE, run.command("ls", at, believed, "--certificate=ann.pem"));
    assertTrue(run.err().contains("go together"), run.err());
    assertEquals(
        ExitCode.DONE,
        run.command("mkdir", "/d", at, believed, "--certificate=ann.pem", "--key=ann.key"),
        run.err());
    var ofAnn =
        run.with("LUCIOLA_AUTHORITIES", "own.pem")
            .with("LUCIOLA_CERTIFICATE", "ann.pem")
            .with("LUCIOLA_KEY", "ann.key");
    assertEquals(ExitCode.DONE, ofAnn.command("ls", "-l", "/", at), run.err());
    assertTrue(run.out().contains("1000"), run.out());
    Files.setPosixFilePermissions(ann.key(), PosixFilePermissions.fromString("rw-r--r--"));
    assertEquals(ExitCode.FAILED, ofAnn.command("ls", "/", at));
    assertTrue(run.err().contains("chmod 600"), run.err());
  }
}
