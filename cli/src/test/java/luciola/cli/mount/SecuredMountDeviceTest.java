package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
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
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Users of a machine on a mount of a cluster that asks who one is. */
@Timeout(300)
final class SecuredMountDeviceTest {
  private static final int ANN = 41_000;
  private static final int BOB = 41_001;
  private static final int TEAM = 42_000;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MetaServer meta;

  @SuppressWarnings("NullAway.Init")
  private static StorageServer storage;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted forOthers;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted ofAnn;

  @BeforeAll
  static void start() throws Exception {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    // Users of this machine have to get to the mounts.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path secretFile = folder.resolve("secret");
    var secret = new Credential.OfServers(TestUsers.secret());
    CredentialFile.write(secretFile, secret);
    var authority = new TestAuthority(folder, "own");
    TestAuthority.Issued server = authority.issue("server");
    SecuritySettings security =
        SecuritySettings.required(secretFile)
            .withTls(server.certificate(), server.key(), authority.certificate())
            .withClientAuthorities(authority.certificate());
    meta =
        MetaServer.start(
            MetaServerConfig.of(folder.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withSecurity(security));
    storage =
        StorageServer.start(
            StorageServerConfig.of(
                    folder.resolve("storage"), List.of(folder.resolve("target")), addresses())
                .withSecurity(security));
    try (MetaConnection admin =
        MetaConnection.connect(
            MetaOptions.of(addresses())
                .withAccess(
                    ClientAccess.NONE
                        .withAuthorities(authority.certificate().toString())
                        .withCredential(secret)))) {
      var _ = admin.createTable(CreateTableRequest.newBuilder().setReplicas(1).build());
      Path token = folder.resolve("mount.token");
      CredentialFile.write(
          token,
          TestUsers.withToken(
              admin,
              AccessUser.newBuilder()
                  .setName("mount")
                  .setUid(43_000)
                  .setMountForOthers(true)
                  .build()));
      forOthers = mount("for-others", "--token-file=" + token);
      TestUsers.create(
          admin, AccessUser.newBuilder().setName("ann").setUid(ANN).setGid(ANN).build());
      TestAuthority.Issued ann = authority.issue("ann", "-ext", "eku=clientAuth");
      ofAnn = mount("of-ann", "--certificate=" + ann.certificate(), "--key=" + ann.key());
    }
  }

  private static List<String> addresses() {
    return List.of("127.0.0.1:" + meta.port());
  }

  /** By a token, or by a certificate. */
  private static MountedCluster.Mounted mount(String name, String... shown) throws IOException {
    List<String> options = new ArrayList<>(List.of(shown));
    options.add("--authorities=" + folder.resolve("own.pem"));
    options.add("--attribute-millis=0");
    return new MountedCluster.Mounted(folder, name, addresses(), options);
  }

  @AfterAll
  static void stop() throws IOException {
    for (MountedCluster.Mounted mounted : new MountedCluster.Mounted[] {forOthers, ofAnn}) {
      if (mounted != null) {
        mounted.close();
      }
    }
    if (storage != null) {
      storage.close();
    }
    if (meta != null) {
      meta.close();
    }
  }

  /** What a program of that user says, and its exit status. */
  private record Said(int status, String text) {
    String succeeded() {
      assertEquals(0, status, text);
      return text;
    }

    void isRefused() {
      assertTrue(
          status != 0
              && (text.contains("Permission denied") || text.contains("Operation not permitted")),
          "status=" + status + " " + text);
    }
  }

  private static Said as(int uid, Path where, String script)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                "setpriv",
                "--reuid=" + uid,
                "--regid=" + uid,
                uid == ANN ? "--groups=" + TEAM : "--clear-groups",
                "/bin/sh",
                "-euc",
                "cd '" + where + "'; " + script)
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(process.waitFor(), text);
  }

  @Test
  void usersOfAMountForOthersSeeWhatTheyMay() throws Exception {
    Path top = forOthers.directory();
    as(ANN, top, "mkdir ann && chmod 700 ann && mkdir shared && chmod 755 shared").succeeded();
    as(ANN, top, "echo secret > ann/file && cp ann/file shared/own && chmod 600 shared/own")
        .succeeded();
    as(
            ANN,
            top,
            "echo team > shared/team && chmod 640 shared/team && chgrp " + TEAM + " shared/team")
        .succeeded();
    assertEquals("secret\n", as(ANN, top, "cat ann/file").succeeded());
    assertEquals("secret\n", as(ANN, top, "cat shared/own").succeeded());
    assertEquals("team\n", as(ANN, top, "cat shared/team").succeeded());
    assertEquals(ANN + " " + TEAM + "\n", as(BOB, top, "stat -c '%u %g' shared/team").succeeded());
    as(BOB, top, "cat ann/file").isRefused();
    as(BOB, top, "ls ann").isRefused();
    as(BOB, top, "cat shared/own").isRefused();
    as(BOB, top, "cat shared/team").isRefused();
    as(BOB, top, "echo x > shared/bob").isRefused();
    as(BOB, top, "rm -f shared/own").isRefused();
    as(BOB, top, "chmod 777 shared/own").isRefused();
    as(BOB, top, "mkdir bob && echo mine > bob/file && cat bob/file").succeeded();
    assertEquals("secret\n", as(ANN, top, "cat shared/own").succeeded());
  }

  @Test
  void whatIsOpenStaysUsableWhateverBecomesOfItsModeAndName() throws Exception {
    Path top = forOthers.directory();
    as(ANN, top, "mkdir open && chmod 700 open").succeeded();
    assertEquals(
        "one\ntwo\n",
        as(
                ANN,
                top.resolve("open"),
                "exec 3> write; chmod 0 write; echo one >&3;"
                    + " echo two >&3; exec 3>&-; chmod 600 write; cat write")
            .succeeded());
    assertEquals(
        "kept\n",
        as(
                ANN,
                top.resolve("open"),
                "echo kept > read; exec 4< read; rm read; test ! -e read; cat <&4")
            .succeeded());
    as(ANN, top.resolve("open"), "echo l > lock; chmod 600 lock; exec 5< lock; flock 5 true")
        .succeeded();
    as(
            ANN,
            top.resolve("open"),
            "echo s > set; chmod 4755 set; echo more >> set; test \"$(stat -c %a set)\" = 755")
        .succeeded();
  }

  /** The machine's user 0 is the mount's own user there: nobody in particular. */
  @Test
  void theMachinesUserZeroIsNobodysMaster() throws Exception {
    Path top = forOthers.directory();
    as(ANN, top, "mkdir root && echo secret > root/file && chmod 600 root/file").succeeded();
    as(ANN, top, "chmod 755 root && echo all > root/open && chmod 644 root/open").succeeded();
    as(0, top, "cat root/file").isRefused();
    as(0, top, "echo x > root/new").isRefused();
    as(0, top, "chown 0 root/open").isRefused();
    as(0, top, "rm root/file").isRefused();
    assertEquals("all\n", as(0, top, "cat root/open").succeeded());
    assertEquals("43000\n", as(0, top, "echo own > of-root && stat -c %u of-root").succeeded());
    assertEquals("secret\n", as(ANN, top, "cat root/file").succeeded());
  }

  @Test
  void aTokenWithoutThatRightActsForItsOwnUserOnly() throws Exception {
    Path top = ofAnn.directory();
    assertEquals("a\n", as(ANN, top, "echo a > of-ann && cat of-ann").succeeded());
    as(BOB, top, "echo x > of-bob").isRefused();
    as(BOB, top, "cat of-ann").isRefused();
    as(BOB, top, "ls").isRefused();
    assertEquals("a\n", as(0, top, "cat of-ann").succeeded());
    assertEquals("a\n", as(ANN, forOthers.directory(), "cat of-ann").succeeded());
  }
}
