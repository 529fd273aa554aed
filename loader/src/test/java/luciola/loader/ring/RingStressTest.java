package luciola.loader.ring;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An owner and an agent over one memory, as fast as they can and with every sleep between: each
 * operation is completed once, with its own bytes, and nobody sleeps while there is something to
 * do. The counters go round at once. Completions come from several threads, in any order.
 */
@Timeout(300)
class RingStressTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int FILE_BYTES = 1 << 16;
  private static final int LENGTH = 64;

  @TempDir Path directory;

  /** Reads of the files end on other threads, those of one batch on different ones. */
  private static LuciolaFileSystem scattering(LuciolaFileSystem files, ExecutorService threads) {
    return (LuciolaFileSystem)
        Proxy.newProxyInstance(
            LuciolaFileSystem.class.getClassLoader(),
            new Class<?>[] {LuciolaFileSystem.class},
            (_, method, arguments) -> {
              try {
                if (!method.getName().equals("readEach")) {
                  return method.invoke(files, arguments);
                }
                List<CompletableFuture<Void>> outcomes = new ArrayList<>();
                for (Object range : (List<?>) arguments[0]) {
                  outcomes.add(
                      CompletableFuture.runAsync(
                          () -> files.readEach(List.of((ReadRange) range)).getFirst().join(),
                          threads));
                }
                return outcomes;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static byte at(long offset) {
    return (byte) (offset * 31 + (offset >> 8));
  }

  @ParameterizedTest
  @CsvSource({"1, 30000, 0", "2, 60000, 0", "8, 150000, 0", "8, 100000, 20000", "64, 200000, 0"})
  void everyOperationIsCompletedOnceWithItsBytes(int entries, int operations, long spinNanos)
      throws Exception {
    LuciolaFileSystem files = new MemoryFileSystem();
    byte[] content = new byte[FILE_BYTES];
    for (int i = 0; i < content.length; i++) {
      content[i] = at(i);
    }
    try (WritableFile file = files.openWrite("/file", OpenOptions.CREATE)) {
      file.write(0, content);
    }
    RingLayout layout = new RingLayout(entries, 4096 * 2);
    SharedRegion region = SharedRegion.create(directory, layout.regionBytes());
    AtomicReference<@Nullable LuciolaException> broken = new AtomicReference<>();
    LongAdder bytes = new LongAdder();
    try (ExecutorService threads = Executors.newFixedThreadPool(3);
        RingServer server =
            RingServer.create(
                new RingConfiguration(64, 4096, 4, 4, spinNanos),
                scattering(files, threads),
                region,
                layout,
                bytes,
                broken::set);
        RingOwner owner =
            RingOwner.of(region.memory(), server.submitPipe(), server.completePipe())) {
      server.start();
      int file = server.openRead("/file").file();
      var random = new SplittableRandom(entries);
      BitSet seen = new BitSet();
      int next = 0;
      int done = 0;
      // The place of an operation is its number modulo entries: those under way may share one.
      int[] place = new int[entries];
      long[] offset = new long[operations];
      BitSet busy = new BitSet();
      while (done < operations) {
        int some = random.nextInt(entries + 1);
        for (int i = 0; i < some && next < operations && busy.cardinality() < entries; i++) {
          int slot = busy.nextClearBit(0);
          busy.set(slot);
          place[slot] = next;
          offset[next] = random.nextInt(FILE_BYTES - LENGTH);
          long own = (long) next << 8 | slot;
          assertTrue(
              owner.put(Submission.read(file, offset[next++], (long) slot * LENGTH, LENGTH, own)));
        }
        if (busy.cardinality() == entries) {
          assertFalse(owner.put(Submission.sync(file, 0)));
        }
        owner.submit();
        int wanted = owner.underWay() == 0 ? 0 : random.nextInt(owner.underWay() + 1);
        assertTrue(owner.await(wanted, LONG) >= wanted, "slept too long: done=" + done);
        int take = random.nextInt(entries + 1);
        for (Optional<Completion> each = owner.take();
            each.isPresent();
            each = take-- > 0 ? owner.take() : Optional.empty()) {
          int number = (int) (each.get().own() >> 8);
          int slot = (int) each.get().own() & 0xFF;
          assertEquals(LENGTH, each.get().result());
          assertEquals(place[slot], number);
          assertFalse(seen.get(number), "twice: " + number);
          for (int i = 0; i < LENGTH; i += 21) {
            assertEquals(
                at(offset[number] + i), owner.data().get(JAVA_BYTE, (long) slot * LENGTH + i));
          }
          owner.data().asSlice((long) slot * LENGTH, LENGTH).fill((byte) 0);
          seen.set(number);
          busy.clear(slot);
          done++;
        }
      }
      assertEquals(operations, seen.cardinality());
      assertEquals((long) operations * LENGTH, bytes.sum());
      assertEquals(null, broken.get());
    }
    try (var left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  /** Entries that change while they are looked at, and anything at all in them. */
  @Test
  void anOwnerThatWritesNonsenseGetsItsCompletionsAndHarmsNobody() throws Exception {
    LuciolaFileSystem files = new MemoryFileSystem();
    try (WritableFile file = files.openWrite("/file", OpenOptions.CREATE)) {
      file.write(0, new byte[FILE_BYTES]);
    }
    int entries = 16;
    RingLayout layout = new RingLayout(entries, 4096);
    SharedRegion region = SharedRegion.create(directory, layout.regionBytes());
    AtomicReference<@Nullable LuciolaException> broken = new AtomicReference<>();
    try (RingServer server =
            RingServer.create(
                new RingConfiguration(64, 4096, 4, 4, 0),
                files,
                region,
                layout,
                new LongAdder(),
                broken::set);
        RingOwner owner =
            RingOwner.of(region.memory(), server.submitPipe(), server.completePipe())) {
      server.start();
      int reading = server.openRead("/file").file();
      int writing = server.openWrite("/out", OpenOptions.CREATE).file();
      MemorySegment submissions = region.memory().asSlice(layout.submissionsAt(), 64L * entries);
      var random = new SplittableRandom(9);
      Thread scribbler =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                var other = new SplittableRandom(10);
                while (!Thread.currentThread().isInterrupted()) {
                  submissions.set(JAVA_BYTE, other.nextInt(64 * entries), (byte) other.nextInt());
                }
              });
      try {
        for (int round = 0; round < 3_000; round++) {
          int some = 1 + random.nextInt(entries);
          for (int i = 0; i < some; i++) {
            int file = random.nextInt(3) == 0 ? random.nextInt() : i % 2 == 0 ? reading : writing;
            owner.put(
                new Submission(
                    random.nextInt(5),
                    file,
                    random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(100_000),
                    random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(5_000),
                    random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(5_000),
                    i,
                    random.nextInt(8) == 0 ? 1 : 0));
          }
          owner.submit();
          assertEquals(some, owner.await(some, LONG), "round=" + round);
          for (int i = 0; i < some; i++) {
            assertTrue(owner.take().isPresent());
          }
        }
      } finally {
        scribbler.interrupt();
        scribbler.join();
      }
      assertEquals(null, broken.get());
      // Another ring of the same agent, and this one, are as good as before.
      assertTrue(owner.put(Submission.read(reading, 0, 0, 4096, 1)));
      owner.submit();
      assertEquals(1, owner.await(1, LONG));
      assertEquals(new Completion(1, 4096), owner.take().orElseThrow());
    }
  }
}
