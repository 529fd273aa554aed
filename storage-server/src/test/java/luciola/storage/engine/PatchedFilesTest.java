package luciola.storage.engine;

import static luciola.storage.engine.EngineFixture.bytes;
import static luciola.storage.engine.EngineFixture.chunk;
import static luciola.storage.engine.EngineFixture.plain;
import static luciola.storage.engine.EngineFixture.read;
import static luciola.storage.engine.EngineFixture.stage;
import static luciola.storage.engine.EngineFixture.version;
import static luciola.storage.engine.EngineFixture.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import luciola.protocol.frame.Update;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random updates of one chunk in real files, against an array; long reads go out as file ranges.
 */
class PatchedFilesTest {
  private static final int LENGTH_MAX = 300_000;

  @TempDir Path directory;
  private byte[] model = new byte[0];
  private long newest;
  private int patched;

  private ChunkEngine open(int patchesMax) throws IOException {
    var config =
        EngineFixture.CONFIG
            .change()
            .fileRangeBytes(20_000)
            .rewriteBytesMax(16 << 10)
            .patchesMax(patchesMax)
            .build();
    return ChunkEngine.open("t", directory, config, ReplicaSource.NONE);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyUpdateMakesTheBytesOfTheModel(long seed) throws IOException {
    var random = new Random(seed);
    for (int life = 0; life < 4; life++) {
      try (ChunkEngine engine = open(2 + random.nextInt(12))) {
        for (int i = 0; i < 60; i++) {
          update(engine, random);
          if (random.nextInt(3) > 0) {
            engine.commit(chunk(0), version(newest), 1);
          }
          var held = engine.chunk(chunk(0)).find(version(newest)).orElseThrow();
          patched += held.patches().isEmpty() ? 0 : 1;
          compare(engine, 0, model.length + 1);
          int offset = random.nextInt(model.length + 1);
          compare(engine, offset, 1 + random.nextInt(model.length + 1 - offset));
        }
        assertEquals(ChunkEngine.Health.GOOD, engine.check(chunk(0)).join());
        assertEquals(List.of(), engine.verify().join().problems());
      }
    }
    assertTrue(patched > 50, "patched versions: " + patched);
  }

  private void compare(ChunkEngine engine, int offset, int length) throws IOException {
    assertArrayEquals(
        Arrays.copyOfRange(model, offset, Math.min(model.length, offset + length)),
        read(engine, 0, newest, offset, length));
  }

  private void update(ChunkEngine engine, Random random) {
    newest++;
    if (random.nextInt(12) == 0) {
      int length = 1 + random.nextInt(LENGTH_MAX);
      model = Arrays.copyOf(model, length);
      stage(engine, plain(0, newest, new Update.Truncate(length)));
      return;
    }
    int offset =
        switch (random.nextInt(4)) {
          case 0 -> Math.min(model.length, LENGTH_MAX - 1);
          case 1 -> Math.min((model.length + 4095) / 4096 * 4096, LENGTH_MAX - 1);
          default -> random.nextInt(Math.max(1, model.length));
        };
    int most = random.nextInt(6) == 0 ? 200_000 : 20_000;
    byte[] data = bytes(newest, 1 + random.nextInt(Math.min(most, LENGTH_MAX - offset)));
    model = Arrays.copyOf(model, Math.max(model.length, offset + data.length));
    System.arraycopy(data, 0, model, offset, data.length);
    stage(engine, write(0, newest, offset, data));
  }
}
