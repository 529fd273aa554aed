package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real file system that fills up. Needs root, for a loop mount. */
class FullDiskTest {
  private static final long DISK_BYTES = 320L << 20;
  private static final EngineConfig CONFIG =
      EngineFixture.CONFIG
          .change()
          .reserveBytes(48L << 20)
          .compactBytesPerSecond(1L << 30)
          .patchesMax(64)
          .build();

  @TempDir Path directory;
  private Path mount;

  @BeforeEach
  void mountDisk() throws IOException, InterruptedException {
    Path image = directory.resolve("image");
    mount = Files.createDirectory(directory.resolve("disk"));
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(DISK_BYTES);
    }
    if (!runs("mkfs.ext4", "-q", "-F", "-m", "0", image.toString())) {
      abort("no mkfs.ext4: a full disk is not tested");
    }
    if (!runs("mount", "-o", "loop", image.toString(), mount.toString())) {
      abort("no loop mount, which needs root: a full disk is not tested");
    }
  }

  @AfterEach
  void unmountDisk() throws IOException, InterruptedException {
    var _ = runs("umount", "-l", mount.toString());
  }

  private static boolean runs(String... command) throws IOException, InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean tryWrite(ChunkEngine engine, int number) {
    try {
      engine.stage(write(number, 1, 0, bytes(number, 1 << 20))).join();
      engine.commit(chunk(number), version(1), 1);
      return true;
    } catch (CompletionException e) {
      if (e.getCause() instanceof LuciolaException fault && fault.code() == ErrorCode.NO_SPACE) {
        return false;
      }
      throw e;
    }
  }

  private static void assertAllThere(ChunkEngine engine, int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      assertArrayEquals(bytes(i, 1 << 20), read(engine, i, 1, 0, 1 << 20));
    }
  }

  @Test
  void updatesAreRefusedNothingIsLostAndSpaceComesBack() throws IOException {
    int count = 0;
    try (ChunkEngine engine = ChunkEngine.open("t", mount, CONFIG, ReplicaSource.NONE)) {
      while (engine.hasRoomFor(1 << 20)) {
        assertTrue(tryWrite(engine, count), "refused though welcome: " + count);
        count++;
      }
      assertTrue(engine.usage().lowSpace());
      // Who does not ask goes on to the very end.
      while (tryWrite(engine, count)) {
        count++;
      }
      assertTrue(count >= 100, "chunks: " + count);
      assertTrue(engine.isHealthy());
      assertFalse(engine.hasRoomFor(1 << 20));
      assertAllThere(engine, 0, count);
    }
    try (ChunkEngine engine = ChunkEngine.open("t", mount, CONFIG, ReplicaSource.NONE)) {
      assertEquals(count, engine.usage().chunks());
      assertAllThere(engine, 0, count);
      assertFalse(tryWrite(engine, 10_000));
      for (int i = 0; i < count; i += 2) {
        assertTrue(engine.forget(chunk(i)).join());
      }
      for (int i = 0; i < count / 3; i++) {
        assertTrue(tryWrite(engine, 20_000 + i), "no space: " + i);
      }
      assertAllThere(engine, 20_000, 20_000 + count / 3);
      for (int i = 1; i < count; i += 2) {
        assertArrayEquals(bytes(i, 1 << 20), read(engine, i, 1, 0, 1 << 20));
      }
      assertTrue(engine.isHealthy());
      assertEquals(List.of(), engine.verify().join().problems());
    }
  }
}
