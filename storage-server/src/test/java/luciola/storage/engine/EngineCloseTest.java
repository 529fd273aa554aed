package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.CHAIN;
import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.segment;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An engine on a real directory is closed while everybody uses it, and opened again. */
@Timeout(120)
class EngineCloseTest {
  private static final int CHUNKS = 40;
  private static final int LENGTH = 150_000;

  @TempDir Path directory;

  private ChunkEngine open() throws IOException {
    return ChunkEngine.open("t", directory, EngineFixture.CONFIG, ReplicaSource.NONE);
  }

  private ChunkEngine filled() throws IOException {
    ChunkEngine engine = open();
    for (int number = 0; number < CHUNKS; number++) {
      stage(engine, write(number, 1, 0, bytes(number, LENGTH)));
      engine.commit(chunk(number), version(1), 1);
    }
    return engine;
  }

  /** One use of the engine. */
  private interface Use {
    void by(ChunkEngine engine, int round) throws IOException;
  }

  private static void readRange(ChunkEngine engine, int round) throws IOException {
    int number = round % CHUNKS;
    byte[] all = bytes(number, LENGTH);
    byte[] part = read(engine, number, 1, 100, LENGTH - 100);
    assertEquals(LENGTH - 100, part.length);
    assertEquals(all[100], part[0]);
  }

  private static void readWhole(ChunkEngine engine, int round) {
    try (HeldVersion held = engine.hold(chunk(round % CHUNKS), version(1))) {
      MemorySegment into = segment(new byte[LENGTH]);
      engine.readWhole(held, into);
    }
  }

  private static void lookAround(ChunkEngine engine, int round) {
    ChainContents contents = engine.chain(CHAIN);
    assertFalse(contents.inventory(Optional.empty(), 10).chunks().isEmpty());
    contents.tombstones(Optional.empty(), 10);
    contents.dedups(Optional.empty(), 10);
    assertTrue(contents.totals().chunks() >= CHUNKS);
    engine.chunk(chunk(1_000_000 + round));
    var _ = engine.isHealthy();
  }

  private static void writeMore(ChunkEngine engine, int round) {
    stage(engine, write(CHUNKS + round, 1, 0, bytes(round, 5000)));
    engine.commit(chunk(CHUNKS + round), version(1), 1);
  }

  private static void check(ChunkEngine engine, int round) {
    assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(round % CHUNKS)).join());
  }

  /** Goes on until the engine says that it is closed; how often it was used. */
  private static int untilClosed(ChunkEngine engine, Use use, AtomicInteger begun) {
    for (int round = 0; ; round++) {
      try {
        use.by(engine, round);
      } catch (ClosedChannelException closed) {
        return round;
      } catch (IOException e) {
        assertTrue(String.valueOf(e.getMessage()).contains("closed"), e::toString);
        return round;
      } catch (LuciolaException | CompletionException e) {
        refused(e);
        return round;
      } finally {
        begun.incrementAndGet();
      }
    }
  }

  private static void refused(RuntimeException e) {
    Throwable cause = e instanceof CompletionException ? e.getCause() : e;
    boolean said =
        cause instanceof LuciolaException fault
            && (fault.code() == ErrorCode.SHUTTING_DOWN || fault.code() == ErrorCode.DISK_ERROR);
    if (!said) {
      throw e;
    }
  }

  @Test
  void closingUnderReadersAndWritersEndsThemWithAClearErrorAndLosesNothing() throws Exception {
    for (int life = 0; life < 3; life++) {
      ChunkEngine engine = life == 0 ? filled() : open();
      List<Use> uses =
          List.of(
              EngineCloseTest::readRange,
              EngineCloseTest::readWhole,
              EngineCloseTest::lookAround,
              EngineCloseTest::check,
              EngineCloseTest::readRange);
      var begun = new AtomicInteger();
      var ends = new ArrayList<CompletableFuture<Integer>>();
      try (ExecutorService threads = Executors.newCachedThreadPool()) {
        for (Use use : uses) {
          ends.add(CompletableFuture.supplyAsync(() -> untilClosed(engine, use, begun), threads));
        }
        if (life == 0) {
          ends.add(
              CompletableFuture.supplyAsync(
                  () -> untilClosed(engine, EngineCloseTest::writeMore, begun), threads));
        }
        Waits.until(() -> begun.get() > 200);
        engine.close();
        for (CompletableFuture<Integer> end : ends) {
          assertTrue(end.join() >= 0);
        }
      }
      late(engine);
    }
    try (ChunkEngine again = open()) {
      for (int number = 0; number < CHUNKS; number++) {
        assertArrayEquals(bytes(number, LENGTH), read(again, number, 1, 0, LENGTH));
      }
      assertEquals(List.of(), again.verify().join().problems());
    }
  }

  /** Whoever comes after the end is refused, and the process lives. */
  private static void late(ChunkEngine engine) throws IOException {
    LuciolaException hold =
        assertThrows(LuciolaException.class, () -> engine.hold(chunk(0), version(1)));
    assertEquals(ErrorCode.SHUTTING_DOWN, hold.code());
    LuciolaException list =
        assertThrows(
            LuciolaException.class, () -> engine.chain(CHAIN).inventory(Optional.empty(), 10));
    assertEquals(ErrorCode.SHUTTING_DOWN, list.code());
    assertThrows(CompletionException.class, () -> stage(engine, write(0, 2, 0, bytes(1, LENGTH))));
    assertThrows(CompletionException.class, () -> engine.check(chunk(0)).join());
    engine.close();
  }

  @Test
  void aVersionThatIsHeldStaysReadableUntilItIsGivenUp() throws Exception {
    ChunkEngine engine = filled();
    HeldVersion held = engine.hold(chunk(3), version(1));
    CompletableFuture<Boolean> closed =
        CompletableFuture.supplyAsync(() -> {
          try {
            engine.close();
            return true;
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    Waits.until(() -> refusesHolds(engine));
    assertFalse(closed.isDone());
    MemorySegment into = segment(new byte[LENGTH]);
    engine.readWhole(held, into);
    assertArrayEquals(bytes(3, LENGTH), into.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    held.close();
    assertTrue(closed.join());
  }

  private static boolean refusesHolds(ChunkEngine engine) {
    try (HeldVersion _ = engine.hold(chunk(0), version(1))) {
      return false;
    } catch (LuciolaException e) {
      return e.code() == ErrorCode.SHUTTING_DOWN;
    }
  }
}
