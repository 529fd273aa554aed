package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Locks of programs on two mounts of one cluster. */
@Timeout(300)
final class LocksDeviceTest {
  private static final long LEASE_SECONDS = 8;

  @TempDir private static Path folder;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted one;

  @SuppressWarnings("NullAway.Init")
  private static MountedCluster.Mounted two;

  @SuppressWarnings("NullAway.Init")
  private String name;

  @BeforeAll
  static void mount() throws IOException {
    String missing = MountedCluster.missing();
    assumeTrue(missing == null, "SKIPPED-TIER device: " + missing);
    cluster =
        new MountedCluster(
            folder, 3, options -> options.withClientTimeout(Duration.ofSeconds(LEASE_SECONDS)));
    one = cluster.mount("one");
    two = cluster.mount("two");
  }

  @AfterAll
  static void unmount() throws IOException {
    for (MountedCluster.Mounted mounted : new MountedCluster.Mounted[] {one, two}) {
      if (mounted != null) {
        mounted.close();
      }
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void makeFile(TestInfo test) throws IOException {
    name = test.getDisplayName().replaceAll("[^a-zA-Z0-9]", "");
    Files.write(one.directory().resolve(name), new byte[0]);
  }

  private LockingProgram on(MountedCluster.Mounted mounted) throws IOException {
    return new LockingProgram(mounted.directory().resolve(name));
  }

  private static void assertWaits(CompletableFuture<String> answer) throws Exception {
    try {
      // Long enough for a lock that does not wait to be had; shorter does not fail wrongly.
      String early = answer.get(700, TimeUnit.MILLISECONDS);
      throw new AssertionError("did not wait: " + early);
    } catch (TimeoutException _) {
      assertFalse(answer.isDone() && answer.isCompletedExceptionally());
    }
  }

  private static String answer(CompletableFuture<String> answer)
      throws InterruptedException, ExecutionException, TimeoutException {
    return answer.get(60, TimeUnit.SECONDS);
  }

  @Test
  void rangesExcludeEachOtherBetweenMounts() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("set w 0 100"));
      assertEquals("EAGAIN", bob.does("set w 50 100"));
      assertEquals("EAGAIN", bob.does("set r 99 1"));
      assertEquals("ok", bob.does("set w 100 0"));
      assertEquals("w 0 100 0", bob.does("get w 0 0 " + ann.pid()));
      assertEquals("ok", ann.does("set r 20 10"));
      assertEquals("ok", bob.does("set r 20 10"));
      assertEquals("EAGAIN", bob.does("set w 20 10"));
      assertEquals("ok", ann.does("set u 0 0"));
      assertEquals("u 0 10 0", bob.does("get w 0 10 0"));
      assertEquals("ok", bob.does("set w 0 0"));
      // Of the same mount the process is told, as ever.
      try (LockingProgram cy = on(two)) {
        assertEquals("w 0 0 mine", cy.does("get r 5 5 " + bob.pid()));
      }
    }
  }

  @Test
  void whoWaitsGetsTheLockOnceItIsGivenUp() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two);
        LockingProgram cy = on(one)) {
      assertEquals("ok", ann.does("set w 0 10"));
      CompletableFuture<String> waiting = bob.begins("wait w 0 10");
      assertWaits(waiting);
      assertEquals("ok", ann.does("write 0 0123456789"));
      assertEquals("ok", ann.does("set u 0 0"));
      assertEquals("ok", answer(waiting));
      assertEquals("0123456789", bob.does("read 0 10"));
      CompletableFuture<String> again = cy.begins("wait r 5 1");
      assertWaits(again);
      // Any descriptor of the file that is closed ends the locks of its process.
      assertEquals("ok", bob.does("close"));
      assertEquals("ok", answer(again));
      CompletableFuture<String> third = bob.begins("wait w 0 0");
      assertWaits(third);
      cy.kill();
      assertEquals("ok", answer(third));
    }
  }

  @Test
  void wholeFilesAreLockedByTheirDescriptor() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("flock sh now"));
      assertEquals("ok", bob.does("flock sh now"));
      assertEquals("EAGAIN", bob.does("flock ex now"));
      // What cannot be raised is lost.
      CompletableFuture<String> raising = ann.begins("flock ex wait");
      assertEquals("ok", answer(raising));
      CompletableFuture<String> waiting = bob.begins("flock ex wait");
      assertWaits(waiting);
      assertEquals("ok", ann.does("close"));
      assertWaits(waiting);
      assertEquals("ok", ann.does("flock un wait"));
      assertEquals("ok", answer(waiting));
      CompletableFuture<String> last = ann.begins("flock sh wait");
      assertWaits(last);
      bob.kill();
      assertEquals("ok", answer(last));
    }
  }

  @Test
  void aSignalEndsTheWait() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two);
        LockingProgram cy = on(two)) {
      assertEquals("ok", ann.does("set w 0 10"));
      for (int i = 0; i < 3; i++) {
        assertEquals("ok", bob.does("alarm 0.3"));
        assertEquals("interrupted", answer(bob.begins("wait w 0 10")));
      }
      assertEquals("ok", bob.does("alarm 0.3"));
      assertEquals("ok", ann.does("flock ex now"));
      assertEquals("interrupted", answer(bob.begins("flock ex wait")));
      // A waiting program can be killed, and leaves nothing.
      CompletableFuture<String> waiting = cy.begins("wait w 0 0");
      assertWaits(waiting);
      cy.kill();
      assertEquals("ok", ann.does("set u 0 0"));
      assertEquals("ok", bob.does("set w 0 0"));
    }
  }

  @Test
  void programsThatWaitForEachOtherAreTold() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("set w 0 1"));
      assertEquals("ok", bob.does("set w 1 1"));
      CompletableFuture<String> waiting = ann.begins("wait w 1 1");
      assertWaits(waiting);
      assertEquals("EDEADLK", answer(bob.begins("wait r 0 1")));
      assertEquals("ok", bob.does("set u 0 0"));
      assertEquals("ok", answer(waiting));
    }
  }

  /** Bytes, length and attributes are those of whoever had the lock before. */
  @Test
  void whatWasWrittenUnderALockIsReadUnderTheNext() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two)) {
      for (int i = 0; i < 40; i++) {
        LockingProgram writer = i % 2 == 0 ? ann : bob;
        LockingProgram reader = i % 2 == 0 ? bob : ann;
        assertEquals("ok", writer.does("wait w 0 0"));
        assertEquals("ok", writer.does("write 0 " + (1000 + i)));
        assertEquals("ok", writer.does("write " + (4096 * (i + 1) - 4) + " " + (2000 + i)));
        assertEquals("ok", writer.does("set u 0 0"));
        assertEquals("ok", reader.does("wait r 0 0"));
        assertEquals(String.valueOf(1000 + i), reader.does("read 0 4"));
        assertEquals(String.valueOf(4096 * (i + 1)), reader.does("size"));
        assertEquals(
            String.valueOf(2000 + i), reader.does("read " + (4096 * (i + 1) - 4) + " 100"));
        assertEquals("ok", reader.does("set u 0 0"));
      }
    }
  }

  @Test
  void theLocksOfAKilledMountEndWithItsLease() throws Exception {
    try (MountedCluster.Mounted dying = cluster.mount("dying");
        LockingProgram ann = on(dying);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("set w 0 0"));
      assertEquals("ok", ann.does("flock ex now"));
      dying.process().destroyForcibly().waitFor();
      assertEquals("EAGAIN", bob.does("set r 0 1"));
      assertEquals("ok", answer(bob.begins("wait w 0 0")));
      assertEquals("ok", answer(bob.begins("flock ex wait")));
    }
  }

  /** Stopped for longer than its lease: another has the lock when it goes on. */
  @Test
  void aProgramWhoseLockWasLostIsNotLedToBelieveInIt() throws Exception {
    try (MountedCluster.Mounted sleeping = cluster.mount("sleeping");
        LockingProgram ann = on(sleeping);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("set w 0 0"));
      assertEquals("ok", ann.does("write 0 ann"));
      signal("STOP", sleeping.process());
      try {
        assertEquals("ok", answer(bob.begins("wait w 0 0")));
      } finally {
        signal("CONT", sleeping.process());
      }
      assertEquals("EIO", ann.does("write 0 lost"));
      assertEquals("ok", bob.does("write 0 bob"));
      assertEquals("EIO", ann.does("set w 0 0"));
      assertEquals("ok", ann.does("set u 0 0"));
      CompletableFuture<String> waiting = ann.begins("wait w 0 0");
      assertEquals("ok", bob.does("set u 0 0"));
      assertEquals("ok", answer(waiting));
      assertEquals("bob", ann.does("read 0 3"));
    }
  }

  private static void signal(String which, Process process) throws Exception {
    MountedCluster.sh(folder, "kill -" + which + " " + process.pid());
  }

  @Test
  void locksOutliveTheMetaServer() throws Exception {
    try (LockingProgram ann = on(one);
        LockingProgram bob = on(two)) {
      assertEquals("ok", ann.does("set w 0 10"));
      CompletableFuture<String> waiting = bob.begins("wait w 0 0");
      assertWaits(waiting);
      String server = cluster.fleet().metaServers().getFirst();
      cluster.fleet().kill(server);
      cluster.fleet().start(server);
      assertWaits(waiting);
      assertEquals("ok", ann.does("set r 0 10"));
      try (LockingProgram cy = on(two)) {
        assertEquals("r 0 10 0", cy.does("get w 0 10 0"));
      }
      assertEquals("ok", ann.does("set u 0 0"));
      assertEquals("ok", answer(waiting));
    }
  }

  /** Two programs on two mounts count up in one database; none of their steps may be lost. */
  @Test
  void twoMountsShareADatabase() throws Exception {
    int steps = 30;
    MountedCluster.sh(one.directory(), "python3 -c \"" + DATABASE.formatted(name) + "\" make");
    List<CompletableFuture<String>> counting =
        IntStream.range(0, 4)
            .mapToObj(i ->
                CompletableFuture.supplyAsync(() -> {
                  try {
                    return MountedCluster.sh(
                        (i % 2 == 0 ? one : two).directory(),
                        "python3 -c \"" + DATABASE.formatted(name) + "\" count " + steps + " " + i);
                  } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                  }
                }))
            .toList();
    for (CompletableFuture<String> each : counting) {
      var _ = each.get(200, TimeUnit.SECONDS);
    }
    for (MountedCluster.Mounted mounted : List.of(one, two)) {
      assertEquals(
          4 * steps + " " + 4 * steps + " ok",
          MountedCluster.sh(
                  mounted.directory(), "python3 -c \"" + DATABASE.formatted(name) + "\" check")
              .trim());
    }
    assertTrue(Files.size(two.directory().resolve(name + ".db")) > 8192);
  }

  private static final String DATABASE =
      """
      import sqlite3, sys
      base = sqlite3.connect('%s.db', timeout=120, isolation_level=None)
      if sys.argv[1] == 'make':
          base.execute('create table n(v integer)')
          base.execute('create table steps(who integer, at integer, text)')
          base.execute('insert into n values(0)')
      elif sys.argv[1] == 'count':
          for i in range(int(sys.argv[2])):
              base.execute('begin immediate')
              base.execute('update n set v = v + 1')
              base.execute('insert into steps select ?, v, hex(zeroblob(300)) from n', (sys.argv[3],))
              base.execute('commit')
      else:
          n = base.execute('select v from n').fetchone()[0]
          different = base.execute('select count(distinct at) from steps').fetchone()[0]
          print(n, different, base.execute('pragma integrity_check').fetchone()[0])
      """;
}
