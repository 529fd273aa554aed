package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import luciola.client.OpenOptions;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetCommandTest {
  @TempDir Path folder;
  private final MemoryFileSystem fs = new MemoryFileSystem();
  private final Run run = new Run(_ -> Unclosed.of(fs)).with("LUCIOLA_CLUSTER", "memory:1");

  @BeforeEach
  void someDocuments() throws IOException {
    run.in(folder);
    Path source = Files.createDirectories(folder.resolve("source"));
    for (int i = 0; i < 50; i++) {
      Files.writeString(source.resolve("d" + i), "document " + i + " ".repeat(i) + "end");
    }
  }

  @Test
  void aDatasetIsPackedAndProvenWhole() throws IOException {
    assertEquals(0, run.command("dataset", "create", "source", "/sets/text", "--json"), run.err());
    var packed = new JsonMapper().readTree(run.out());
    assertEquals(50, packed.path("documents").asInt());
    assertEquals(0, run.command("dataset", "verify", "/sets/text", "--sequence", "16"), run.err());
    assertTrue(run.out().contains("given exactly once to 8 ranks"), run.out());
  }

  @Test
  void recordsAreVerifiedEach() {
    assertEquals(0, run.command("dataset", "create", "source", "/r", "--records"), run.err());
    assertEquals(0, run.command("dataset", "verify", "/r"), run.err());
    assertTrue(run.out().contains("50 samples"), run.out());
  }

  @Test
  void aFlippedByteIsFound() {
    assertEquals(0, run.command("dataset", "create", "source", "/text"), run.err());
    try (var file = fs.openWrite("/text/tokens.bin", OpenOptions.EXISTING)) {
      file.write(100, new byte[] {0});
    }
    assertEquals(1, run.command("dataset", "verify", "/text", "--sequence", "16"));
    assertTrue(run.out().contains("checksum of the data is wrong"), run.out());
  }

  @Test
  void aTruncatedDatasetIsOneClearLine() {
    assertEquals(0, run.command("dataset", "create", "source", "/text"), run.err());
    try (var file = fs.openWrite("/text/tokens.bin", OpenOptions.EXISTING)) {
      file.truncate(100);
    }
    assertEquals(1, run.command("dataset", "verify", "/text", "--sequence", "16"));
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains("/text"), run.err());
  }

  @Test
  void whatIsThereIsNotOverwritten() {
    assertEquals(0, run.command("dataset", "create", "source", "/text"), run.err());
    assertEquals(1, run.command("dataset", "create", "source", "/text"));
    assertTrue(run.err().contains("EXISTS"), run.err());
    assertEquals(1, run.command("dataset", "create", "nothere", "/other"));
    assertEquals(2, run.command("dataset", "create", "source", "relative"));
  }

  @Test
  void aRunWithoutCheckpointsHasNone() {
    assertEquals(1, run.command("checkpoint", "ls", "/run"));
    assertTrue(run.err().contains("NOT_FOUND"), run.err());
    run.command("mkdir", "/run");
    assertEquals(0, run.command("checkpoint", "ls", "/run", "--json"));
    assertEquals("", run.out());
    assertEquals(1, run.command("checkpoint", "verify", "/run"));
  }
}
