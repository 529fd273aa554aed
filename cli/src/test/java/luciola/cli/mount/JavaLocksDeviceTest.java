package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Locks by {@code java.nio} and by {@code fcntl} on a mount exclude each other. */
@Timeout(300)
final class JavaLocksDeviceTest {
  private static final int LEASE_SECONDS = 4;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted mounted;

  @SuppressWarnings("NullAway.Init")
  private String name;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster =
        new MountedCluster(
            folder, 3, options -> options.withClientTimeout(Duration.ofSeconds(LEASE_SECONDS)));
    mounted = cluster.mount("mnt");
  }

  @AfterAll
  static void unmount() throws IOException {
    if (mounted != null) {
      mounted.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void makeFile(TestInfo test) throws IOException {
    name = test.getDisplayName().replaceAll("[^a-zA-Z0-9]", "");
    Files.write(mounted.directory().resolve(name), new byte[0]);
  }

  private JavaLockingProgram java() throws IOException {
    return new JavaLockingProgram(cluster.fleet().metaAddresses().getFirst(), "/" + name);
  }

  @Test
  void aMountAndAJavaProgramExcludeEachOther() throws Exception {
    try (JavaLockingProgram ann = java();
        LockingProgram bob = new LockingProgram(mounted.directory().resolve(name))) {
      assertEquals("ok", ann.does("lock w 0 100"));
      assertEquals("EAGAIN", bob.does("set r 50 1"));
      assertEquals("w 0 100 0", bob.does("get w 0 0 0"));
      CompletableFuture<String> waiting = bob.begins("wait w 0 0");
      assertEquals("ok", ann.does("write hello"));
      assertEquals("ok", ann.does("release"));
      assertEquals("ok", waiting.get(60, TimeUnit.SECONDS));
      assertEquals("hello", bob.does("read 0 5"));
      assertEquals("null", ann.does("lock r 0 1"));
      assertEquals("ok", bob.does("write 0 there"));
      assertEquals("ok", bob.does("set u 0 0"));
      assertEquals("ok", ann.does("lock r 0 1"));
      assertEquals("there", ann.does("read 5"));
      assertEquals("EAGAIN", bob.does("set w 0 1"));
      assertEquals("ok", ann.does("close"));
      assertEquals("ok", bob.does("set w 0 1"));
    }
  }

  /** Stopped for longer than its lease: another has the lock when it goes on. */
  @Test
  void aProgramWhoseLockWasLostIsTold() throws Exception {
    try (JavaLockingProgram ann = java();
        LockingProgram bob = new LockingProgram(mounted.directory().resolve(name))) {
      assertEquals("ok", ann.does("lock w 0 0"));
      assertEquals("ok", ann.does("write ann"));
      assertEquals("true", ann.does("valid"));
      signal("STOP", ann.process());
      try {
        assertEquals("ok", bob.begins("wait w 0 0").get(60, TimeUnit.SECONDS));
      } finally {
        signal("CONT", ann.process());
      }
      assertEquals("ok", bob.does("write 0 bob"));
      assertEquals("false", ann.does("valid"));
      assertEquals("FileSystemException", ann.does("write lost"));
      assertEquals("FileSystemException", ann.does("read 3"));
      assertEquals("FileSystemException", ann.does("close"));
      assertEquals("ok", bob.does("set u 0 0"));
      assertEquals("ok", ann.does("open"));
      assertEquals("ok", ann.does("wait"));
      assertEquals("bob", ann.does("read 3"));
      assertEquals("ok", ann.does("release"));
    }
  }

  private static void signal(String which, Process process) throws Exception {
    MountedCluster.sh(folder, "kill -" + which + " " + process.pid());
  }
}
