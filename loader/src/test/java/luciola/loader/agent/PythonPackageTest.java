package luciola.loader.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import luciola.loader.checkpoint.CheckpointConfig;
import luciola.loader.checkpoint.CheckpointContents;
import luciola.loader.checkpoint.CheckpointWriter;
import luciola.loader.safetensors.DType;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the tests of python/luciola against a live agent. */
class PythonPackageTest {
  @TempDir Path directory;

  @Test
  void thePythonPackagePassesItsTestsAgainstALiveAgent() throws Exception {
    Optional<String> python = python();
    Assumptions.assumeTrue(
        python.isPresent(),
        "SKIPPED-TIER python: no python3 with numpy (set LUCIOLA_PYTHON to one)");
    try (AgentFixture fixture = new AgentFixture(directory)) {
      saveCheckpoints(fixture);
      Path output = directory.resolve("python.txt");
      ProcessBuilder tests =
          new ProcessBuilder(
                  python.get(), "-B", "-m", "unittest", "discover", "-v", "-s", "tests", "-t", ".")
              .directory(Path.of("python").toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile());
      tests.environment().put("LUCIOLA_AGENT", fixture.socket.toString());
      tests.environment().put("PYTHONPATH", Path.of("python").toAbsolutePath().toString());
      Process process = tests.start();
      boolean ended = process.waitFor(5, TimeUnit.MINUTES);
      process.destroyForcibly();
      String said = Files.readString(output);
      assertTrue(ended, said);
      assertEquals(0, process.exitValue(), said);
      assertFalse(said.contains("skipped"), said);
      assertTrue(said.contains("test_a_killed_trainer_does_not_disturb_others"), said);
      assertTrue(said.contains("test_many_operations_at_full_depth_go_round_the_ring"), said);
      AgentFixture.await("all memory is back", () -> fixture.agent.regionBytes() == 0);
    }
  }

  private static void saveCheckpoints(AgentFixture fixture) throws InterruptedException {
    float[] weight = new float[3000 * 700];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = i;
    }
    short[] half = {(short) 0x3F80, (short) 0xC000, 0x4049};
    List<TensorView> tensors =
        List.of(
            new TensorView(TensorSpec.ofFloats("weight", 3000, 700), MemorySegment.ofArray(weight)),
            new TensorView(
                TensorSpec.ofFloats("bias", 1), MemorySegment.ofArray(new float[] {0.5f})),
            new TensorView(TensorSpec.ofFloats("empty", 0, 4), MemorySegment.ofArray(new float[0])),
            new TensorView(
                new TensorSpec("half", DType.BF16, List.of(3L)), MemorySegment.ofArray(half)));
    TensorView older =
        new TensorView(TensorSpec.ofFloats("old", 1), MemorySegment.ofArray(new float[1]));
    try (CheckpointWriter writer =
        new CheckpointWriter(fixture.files, CheckpointConfig.of("/run", 5))) {
      writer.save(contents(9, List.of(older)));
      writer.save(contents(10, tensors));
      writer.await();
    }
  }

  private static CheckpointContents contents(long step, List<TensorView> tensors) {
    return new CheckpointContents(
        step,
        "none",
        Map.of(),
        List.of(new CheckpointContents.TensorFile("model.safetensors", tensors)));
  }

  private static Optional<String> python() {
    return Stream.of(System.getenv("LUCIOLA_PYTHON"), "python3", "/usr/bin/python3")
        .filter(Objects::nonNull)
        .filter(PythonPackageTest::hasNumpy)
        .findFirst();
  }

  private static boolean hasNumpy(String python) {
    try {
      Process process =
          new ProcessBuilder(python, "-c", "import numpy")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      boolean ended = process.waitFor(1, TimeUnit.MINUTES);
      process.destroyForcibly();
      return ended && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
