package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import luciola.protocol.frame.Granules;
import luciola.protocol.frame.Update;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.InodeId;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ChunkUpdate;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.ReplicaSource;
import luciola.storage.index.ChunkKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code target verify} on a directory. */
class TargetVerifyCommandTest {
  private static final int BYTES = 100_000;

  @TempDir Path folder;

  private void target(Path directory) throws IOException {
    try (var owned = TargetDirectory.open(directory);
        ChunkEngine engine =
            ChunkEngine.open("t", directory, EngineConfig.DEFAULTS, ReplicaSource.NONE);
        Arena arena = Arena.ofShared()) {
      owned.put("uuid", 5);
      var key = new ChunkKey(new ChainId(3), new ChunkId(new InodeId(7), 0));
      var bytes = arena.allocate(BYTES).fill((byte) 5);
      engine
          .stage(
              new ChunkUpdate(
                  key,
                  new ChunkVersion(1),
                  1,
                  new Update.Write(0, BYTES, 1 << 20),
                  bytes,
                  Granules.checksums(0, bytes),
                  Optional.empty(),
                  false))
          .join();
      engine.commit(key, new ChunkVersion(1), 1);
    }
  }

  @Test
  void whatIsWrongIsToldALineEachAndByTheExitCode() throws IOException {
    target(folder.resolve("target"));
    var run = new Run().in(folder);
    assertEquals(0, run.command("target", "verify", "--data", "target"), run.err());
    assertTrue(
        run.out().startsWith("a target without a number: 1 chunk, 1 version, 1 block"), run.out());
    assertTrue(run.out().endsWith("; no problem\n"), run.out());

    Path file = folder.resolve("target/blocks/blocks-128KiB");
    try (var raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.seek(20_000);
      raw.write(4);
    }
    assertEquals(1, run.command("target", "verify", "--data", "target"), run.err());
    assertTrue(run.out().lines().findFirst().orElse("").contains("granule=1 "), run.out());
    assertTrue(run.out().endsWith("; 1 problem\n"), run.out());
    assertEquals(1, run.command("target", "verify", "--data", "target", "--json"), run.err());
    JsonNode json = new ObjectMapper().readTree(run.out());
    assertEquals(1, json.get("problemsFound").asInt());
    assertEquals(1, json.get("problems").size());
    assertEquals(1, json.get("chunks").asInt());

    assertEquals(1, run.command("target", "verify", "--data", "nothing"));
    assertTrue(run.err().contains("no data directory there"), run.err());
    assertEquals(2, run.command("target", "verify"));
    assertTrue(Files.notExists(folder.resolve("nothing")));
  }
}
