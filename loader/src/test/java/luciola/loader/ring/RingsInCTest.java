package luciola.loader.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryFileSystem;
import luciola.loader.agent.AgentConfiguration;
import luciola.loader.agent.LoaderAgent;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs in C and C++ that use c/luciola_ring.h, compiled here and run against a live agent. */
@Timeout(300)
class RingsInCTest {
  @TempDir static Path folder;
  @TempDir Path directory;

  private static Path inC = Path.of("");
  private static Path inCpp = Path.of("");

  @BeforeAll
  static void compile() throws Exception {
    inC = compile("ring_test", "cc", "-std=c11", "-pedantic");
    inCpp = compile("ring_test_cpp", "c++", "-x", "c++", "-std=c++17");
  }

  /** Without a warning, as users may have asked for. */
  private static Path compile(String name, String compiler, String... options) throws Exception {
    Path program = folder.resolve(name);
    List<String> command = new ArrayList<>(List.of(compiler));
    command.addAll(List.of(options));
    command.addAll(List.of("-O2", "-Wall", "-Wextra", "-Werror", "-o", program.toString()));
    command.add("c/test/ring_test.c");
    Path output = folder.resolve(name + ".txt");
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
    } catch (IOException e) {
      Assumptions.abort("SKIPPED-TIER compiler: no " + compiler);
      throw e;
    }
    assertTrue(process.waitFor(120, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), Files.readString(output));
    return program;
  }

  private LoaderAgent agent(LuciolaFileSystem files) {
    AgentConfiguration usual = AgentConfiguration.of(directory.resolve("agent.sock"));
    return LoaderAgent.start(
        new AgentConfiguration(
            usual.socket(),
            directory,
            usual.regionBytesMax(),
            usual.slotBytesMax(),
            usual.slotsMax(),
            usual.connectionsMax(),
            usual.requestsMax(),
            RingConfiguration.DEFAULTS),
        files);
  }

  private static void eventually(String what, BooleanSupplier holds) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!holds.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "not in time: " + what);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private void passes(Path program, LoaderAgent agent, String scenario, String path)
      throws Exception {
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(program.toString(), agent.socket().toString(), scenario, path)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(200, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertTrue(ended, Files.readString(output));
    assertEquals("passed\n", Files.readString(output));
    Files.delete(output);
  }

  private void assertOnlyTheSocketIsLeft() throws IOException {
    try (var left = Files.list(directory)) {
      assertEquals(List.of("agent.sock"), left.map(each -> each.getFileName() + "").toList());
    }
  }

  @Test
  void everyFunctionDoesWhatTheHeaderSays() throws Exception {
    for (Path program : List.of(inC, inCpp)) {
      try (LuciolaFileSystem files = new MemoryFileSystem();
          LoaderAgent agent = agent(files)) {
        try (WritableFile file = files.openWrite("/hello", OpenOptions.CREATE)) {
          file.write(0, "hello, ring".getBytes(StandardCharsets.UTF_8));
        }
        passes(program, agent, "functions", "/hello");
        eventually("the memory is back", () -> agent.regionBytes() == 0);
        assertEquals(0600, files.stat("/made in \u00e7").mode());
        assertOnlyTheSocketIsLeft();
      }
    }
  }

  @Test
  void readsWritesAndSyncsAtFullDepthHoldWhatTheyShould() throws Exception {
    try (LuciolaFileSystem files = new MemoryFileSystem();
        LoaderAgent agent = agent(files)) {
      passes(inC, agent, "verify", "/blocks");
      assertEquals(200 * 30_000, files.stat("/blocks").length());
    }
  }

  @Test
  void aKilledOwnerLeavesWhatItWroteAndNothingElse() throws Exception {
    try (LuciolaFileSystem files = new MemoryFileSystem();
        LoaderAgent agent = agent(files)) {
      Process process =
          new ProcessBuilder(inC.toString(), agent.socket().toString(), "hold", "/held")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var said =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        assertEquals("ready", said.readLine());
        assertTrue(agent.regionBytes() > 0);
        assertOnlyTheSocketIsLeft();
      } finally {
        process.destroyForcibly().waitFor();
      }
      eventually("all is back", () -> agent.regionBytes() == 0 && agent.trainers() == 0);
      assertEquals("written, not synced".length(), files.stat("/held").length());
      assertOnlyTheSocketIsLeft();
    }
  }

  @Test
  void anOwnerIsToldWhenItsAgentEnds() throws Exception {
    try (LuciolaFileSystem files = new MemoryFileSystem()) {
      LoaderAgent agent = agent(files);
      Process process =
          new ProcessBuilder(inC.toString(), agent.socket().toString(), "outlive", "/file")
              .redirectErrorStream(true)
              .start();
      try (var said =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        assertEquals("ready", said.readLine());
        agent.close();
        assertTrue(String.valueOf(said.readLine()).startsWith("told: the agent"));
        assertEquals("passed", said.readLine());
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
  }
}
