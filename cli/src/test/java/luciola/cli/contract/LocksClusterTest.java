package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import luciola.client.nio.LuciolaFileSystemProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Locks of channels of two file system objects, which are to each other as two processes are. */
@Timeout(180)
final class LocksClusterTest {
  @TempDir static Path directory;

  @SuppressWarnings("NullAway.Init")
  private static RunningCluster cluster;

  @SuppressWarnings("NullAway.Init")
  private static FileSystem one;

  @SuppressWarnings("NullAway.Init")
  private static FileSystem two;

  @SuppressWarnings("NullAway.Init")
  private String name;

  @BeforeAll
  static void start() throws IOException {
    cluster = new RunningCluster(directory);
    one = LuciolaFileSystemProvider.over(cluster.connect(), "one");
    two = LuciolaFileSystemProvider.over(cluster.connect(), "two");
  }

  @AfterAll
  static void stop() throws IOException {
    one.close();
    two.close();
    cluster.close();
  }

  @BeforeEach
  void makeFile(TestInfo test) throws IOException {
    name = "/" + test.getDisplayName().replaceAll("[^a-zA-Z0-9]", "");
    Files.writeString(one.getPath(name), "0123456789");
  }

  private FileChannel open(FileSystem fs) throws IOException {
    return FileChannel.open(fs.getPath(name), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static void close(FileChannel channel) throws IOException {
    channel.close();
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** What runs on a thread of its own. */
  private interface Work<T> {
    T run() throws Exception;
  }

  private static final class Begun<T> {
    final CompletableFuture<T> outcome = new CompletableFuture<>();
    final Thread thread;

    Begun(Work<T> work) {
      thread =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  outcome.complete(work.run());
                } catch (Throwable e) {
                  outcome.completeExceptionally(e);
                }
              });
    }

    /** Long enough for a lock that does not wait to be had; shorter does not fail wrongly. */
    void assertWaits() throws Exception {
      assertThrows(TimeoutException.class, () -> outcome.get(500, TimeUnit.MILLISECONDS));
    }

    T get() throws Exception {
      return outcome.get(60, TimeUnit.SECONDS);
    }

    @Nullable Throwable failure() {
      return assertThrows(ExecutionException.class, () -> outcome.get(60, TimeUnit.SECONDS))
          .getCause();
    }
  }

  private static FileLock held(FileLock lock) {
    assertNotNull(lock);
    assertTrue(lock.isValid());
    return lock;
  }

  @Test
  void rangesExcludeEachOtherBetweenFileSystems() throws IOException {
    try (FileChannel ann = open(one);
        FileChannel bob = open(two)) {
      FileLock first = held(ann.tryLock(0, 5, false));
      assertNull(bob.tryLock(4, 1, false));
      assertNull(bob.tryLock(0, 1, true));
      FileLock beside = held(bob.tryLock(5, 0, false));
      assertNull(ann.tryLock(100, 1, true));
      first.release();
      assertFalse(first.isValid());
      FileLock again = held(bob.tryLock(0, 5, true));
      FileLock shared = held(ann.tryLock(0, 5, true));
      assertNull(ann.tryLock(6, 1, false));
      beside.release();
      held(ann.tryLock(6, 1, false)).release();
      again.release();
      shared.release();
      held(bob.lock()).release();
    }
  }

  @Test
  void whatThisProcessHasItCannotHaveTwice() throws IOException {
    try (FileChannel ann = open(one);
        FileChannel same = open(one);
        FileChannel bob = open(two)) {
      FileLock left = held(ann.tryLock(0, 5, false));
      FileLock right = held(same.tryLock(5, 5, false));
      assertThrows(OverlappingFileLockException.class, () -> same.tryLock(4, 1, true));
      assertThrows(OverlappingFileLockException.class, () -> ann.lock(9, 1, false));
      // Beside each other they are one to the servers; only one half is given up.
      left.release();
      assertTrue(right.isValid());
      held(bob.tryLock(0, 5, false)).release();
      assertNull(bob.tryLock(5, 1, false));
      close(same);
      assertFalse(right.isValid());
      held(bob.tryLock(0, 10, false));
      assertThrows(ClosedChannelException.class, right::release);
    }
  }

  @Test
  void whoWaitsGetsTheLockAndReadsWhatWasWrittenUnderIt() throws Exception {
    try (FileChannel ann = open(one);
        FileChannel bob = open(two)) {
      FileLock lock = held(ann.lock(0, 10, false));
      var waiting = new Begun<>(() -> bob.lock(5, 1, true));
      waiting.assertWaits();
      assertThrows(OverlappingFileLockException.class, () -> bob.tryLock(5, 1, true));
      ann.write(ascii("abcdefghijklmno"), 0);
      lock.release();
      FileLock after = held(waiting.get());
      assertEquals(15, bob.size());
      ByteBuffer read = ByteBuffer.allocate(15);
      assertEquals(15, bob.read(read, 0));
      assertEquals("abcdefghijklmno", new String(read.array(), StandardCharsets.US_ASCII));
      var third = new Begun<>(() -> ann.lock());
      third.assertWaits();
      assertTrue(after.isShared());
      close(bob);
      held(third.get()).release();
    }
  }

  @Test
  void anInterruptOrACloseEndsTheWait() throws Exception {
    try (FileChannel ann = open(one);
        FileChannel bob = open(two)) {
      FileLock lock = held(ann.lock());
      var interrupted =
          new Begun<>(() -> {
            try {
              return bob.lock();
            } finally {
              assertTrue(Thread.currentThread().isInterrupted());
            }
          });
      interrupted.assertWaits();
      interrupted.thread.interrupt();
      assertInstanceOf(FileLockInterruptionException.class, interrupted.failure());
      assertTrue(bob.isOpen());
      var closed = new Begun<>(() -> bob.lock());
      closed.assertWaits();
      close(bob);
      assertInstanceOf(AsynchronousCloseException.class, closed.failure());
      lock.release();
      // Neither of the two has it.
      try (FileChannel cy = open(two)) {
        held(cy.tryLock()).release();
      }
    }
  }

  @Test
  void aFileSystemThatClosesGivesItsLocksUp() throws IOException {
    FileSystem third = LuciolaFileSystemProvider.over(cluster.connect(), "third");
    try (FileChannel ann = open(one)) {
      FileChannel left = open(third);
      held(left.tryLock());
      assertNull(ann.tryLock());
      third.close();
      held(ann.tryLock());
    }
  }
}
