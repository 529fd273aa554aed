package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.BlockRef;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.index.VersionRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A target that is not open is checked as it lies on the disk. */
class TargetVerifyTest {
  private static final int LENGTH = 150_000;

  @TempDir Path directory;

  private BlockRef first = new BlockRef(new BlockClass(0), 0);
  private BlockRef second = first;

  private void fill() throws IOException {
    try (var owned = TargetDirectory.open(directory)) {
      owned.put("uuid", 5);
      owned.put("target", 7);
      try (ChunkEngine engine =
          ChunkEngine.open("t", directory, EngineFixture.CONFIG, ReplicaSource.NONE)) {
        for (int number = 0; number < 3; number++) {
          stage(engine, write(number, 1, 0, bytes(number, LENGTH)));
          engine.commit(chunk(number), version(1), 1);
        }
        // A small overwrite, whose bytes may be in the metadata only, and one that stays pending.
        stage(engine, write(2, 2, 100, bytes(9, 300)));
        engine.commit(chunk(2), version(2), 1);
        stage(engine, write(1, 2, LENGTH, bytes(8, 5000)));
        first = block(engine, 0);
        second = block(engine, 1);
      }
    }
  }

  private static BlockRef block(ChunkEngine engine, int number) {
    return engine.chunk(chunk(number)).newest().flatMap(VersionRecord::blockIfAny).orElseThrow();
  }

  private TargetVerify.Report verify() throws IOException {
    return TargetVerify.run(directory, _ -> {});
  }

  private Path file() {
    return directory.resolve("blocks").resolve("blocks-256KiB");
  }

  @Test
  void aWholeTargetIsReadAndNotChanged() throws IOException {
    fill();
    byte[] before = Files.readAllBytes(file());
    byte[] identity = Files.readAllBytes(directory.resolve("identity"));
    TargetVerify.Report report = verify();
    assertEquals(List.of(), report.problems());
    assertEquals(0, report.found());
    assertEquals(7, report.target());
    assertEquals(3, report.chunks());
    assertEquals(4, report.versions());
    assertEquals(4L * LENGTH + 5000, report.bytes());
    assertArrayEquals(before, Files.readAllBytes(file()));
    assertArrayEquals(identity, Files.readAllBytes(directory.resolve("identity")));
    try (ChunkEngine engine =
        ChunkEngine.open("t", directory, EngineFixture.CONFIG, ReplicaSource.NONE)) {
      assertEquals(List.of(), engine.verify().join().problems(), "and it opens as before");
    }
  }

  @Test
  void aFlippedBitIsNamed() throws IOException {
    fill();
    try (var raw = new RandomAccessFile(file().toFile(), "rw")) {
      long at = first.position() + 70_000;
      raw.seek(at);
      int value = raw.read();
      raw.seek(at);
      raw.write(value ^ 4);
    }
    TargetVerify.Report report = verify();
    assertEquals(1, report.found(), report.problems()::toString);
    String problem = report.problems().getFirst();
    assertTrue(problem.contains("chunk=" + chunk(0)), problem);
    assertTrue(problem.contains("version=1 committed"), problem);
    assertTrue(problem.contains("granule=4 "), problem);
    assertTrue(problem.contains("position=" + (first.position() + 65_536)), problem);
  }

  @Test
  void aFileThatWasCutIsNamedWithEveryChunkThatLosesBytes() throws IOException {
    fill();
    try (var raw = new RandomAccessFile(file().toFile(), "rw")) {
      raw.setLength(second.position() + 4096);
    }
    TargetVerify.Report report = verify();
    // Both versions of the chunk that is cut, and what lies behind it.
    assertTrue(report.found() >= 2, report.problems()::toString);
    assertTrue(
        report.problems().stream().allMatch(problem -> problem.contains("cannot be read")),
        report.problems()::toString);
    assertTrue(
        report.problems().stream().anyMatch(problem -> problem.contains("chunk=" + chunk(1))),
        report.problems()::toString);
    assertFalse(
        report.problems().stream().anyMatch(problem -> problem.contains("chunk=" + chunk(0))),
        report.problems()::toString);
    Files.delete(file());
    assertTrue(
        verify().problems().stream().anyMatch(problem -> problem.contains("file is missing")));
  }

  @Test
  void whatIsNoTargetOrInUseIsRefusedAndLeftAlone() throws IOException {
    Path none = directory.resolve("none");
    LuciolaException missing =
        assertThrows(LuciolaException.class, () -> TargetVerify.run(none, _ -> {}));
    assertEquals(ErrorCode.NOT_FOUND, missing.code());
    assertFalse(Files.exists(none), "nothing is made");
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertThrows(LuciolaException.class, () -> TargetVerify.run(empty, _ -> {}));
    try (var listed = Files.list(empty)) {
      assertEquals(0, listed.count());
    }
    fill();
    try (var _ = TargetDirectory.open(directory)) {
      LuciolaException used = assertThrows(LuciolaException.class, this::verify);
      assertTrue(used.detail().contains("in use by another storage-server"));
    }
  }
}
