package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** FIFOs, sockets and devices on mounts. */
@Timeout(300)
final class SpecialFilesDeviceTest {
  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted one;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster = new MountedCluster(folder, 1);
    one = cluster.mount("one");
  }

  @AfterAll
  static void unmount() throws IOException {
    if (one != null) {
      one.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  private static String sh(String script) throws IOException, InterruptedException {
    return MountedCluster.sh(one.directory(), script);
  }

  @Test
  void aFifoLinksTwoPrograms() throws Exception {
    assertEquals(
        "fifo 600 40000\n",
        sh(
            "mkfifo -m 600 pipe; head -c 40000 /dev/zero > pipe & "
                + "n=$(wc -c < pipe); wait; echo $(stat -c '%F %a' pipe) $n"));
    sh("rm pipe; ! test -e pipe");
  }

  @Test
  void devicesAndSocketsAreToldToOtherMounts() throws Exception {
    sh(
        "mkdir special; cd special; umask 022; mknod null c 1 3; mknod disk b 259 70000;"
            + " python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'");
    try (MountedCluster.Mounted two = cluster.mount("two")) {
      assertEquals(
          """
          disk 259:70000 block special file 644
          null 1:3 character special file 644
          sock 0:0 socket 755
          """,
          MountedCluster.sh(
              two.directory().resolve("special"), "stat -c '%n %Hr:%Lr %F %a' disk null sock"));
    }
    // As on any mount of strangers' files devices are not opened here.
    assertTrue(sh("cat special/null 2>&1 || true").contains("Permission denied"));
    sh("rm -r special; ! test -e special");
  }

  @Test
  void whoMayNotIsTold() throws Exception {
    sh("mkdir -m 777 open");
    String told =
        sh(
            "cd open; setpriv --reuid 1000 --regid 1000 --clear-groups"
                + " mknod device c 1 3 2>&1 || true; ls -A");
    assertTrue(told.contains("Operation not permitted"), told);
    assertTrue(told.endsWith("permitted\n"), told);
    assertEquals(
        "1000 fifo\n",
        sh(
            "cd open; setpriv --reuid 1000 --regid 1000 --clear-groups mkfifo theirs;"
                + " stat -c '%u %F' theirs"));
    assertTrue(sh("mkfifo open/theirs 2>&1 || true").contains("File exists"));
    assertTrue(sh("mkfifo none/fifo 2>&1 || true").contains("No such file"));
  }

  @Test
  void anArchiveKeepsThem() throws Exception {
    sh(
        "mkdir tree; cd tree; mkfifo -m 640 fifo; mknod -m 600 tty c 5 0; echo text > file;"
            + " ln -s file link");
    String before = sh("cd tree; stat -c '%n %F %a %Hr:%Lr' *");
    sh("tar cf tree.tar tree; rm -r tree; ! test -e tree; tar xpf tree.tar");
    assertEquals(before, sh("cd tree; stat -c '%n %F %a %Hr:%Lr' *"));
    sh("rm -r tree tree.tar");
  }
}
