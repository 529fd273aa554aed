package luciola.cli.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import luciola.cli.Run;
import luciola.cli.terminal.CommandFailure;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers from configuration files as an operator writes them. */
class ServersProcessTest {
  @TempDir Path folder;

  private Path config(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private RunningServer meta() throws IOException {
    return Servers.start(
        ServerKind.META_SERVER,
        config("meta.toml", "directory = '%s'\nport = 0\n".formatted(folder.resolve("meta"))));
  }

  private RunningServer storage(String metaAddress, String more) throws IOException {
    return Servers.start(
        ServerKind.STORAGE_SERVER,
        config(
            "storage.toml",
            """
            dataDirectory = '%s'
            targets = ['%s']
            metaAddresses = ['%s']
            startTimeout = '20s'
            %s
            """
                .formatted(
                    folder.resolve("storage"), folder.resolve("target"), metaAddress, more)));
  }

  @Test
  void aFullDiskIsOneLineAndLeavesNothingHalfDone() throws IOException {
    byte[] bytes = new byte[24 << 20];
    new Random(5).nextBytes(bytes);
    Files.write(folder.resolve("big"), bytes);
    Files.writeString(folder.resolve("small"), "small");
    try (RunningServer meta = meta();
        RunningServer _ =
            storage(
                meta.address(),
                "labels = {zone = 'a'}\n[engine]\ncapacityBytes = %d\n".formatted(16 << 20))) {
      var run = new Run().in(folder).with("LUCIOLA_CLUSTER", meta.address());
      assertEquals(0, run.command("table", "create", "--replicas", "1"), run.err());
      assertEquals(1, run.command("put", "big", "/big"), run.err());
      assertTrue(run.err().contains("NO_SPACE"), run.err());
      assertEquals(0, run.command("ls", "/"), run.err());
      assertEquals("", run.out());
      assertEquals(0, run.command("put", "small", "/small"), run.err());
      assertEquals(3, run.command("put", "small", "big", "/"), run.err());
      assertEquals(0, run.command("cat", "/small"), run.err());
      assertEquals("small", run.out());
    }
  }

  @Test
  void aPortThatIsTakenIsRefusedByName() throws IOException {
    try (RunningServer first = meta()) {
      String port = first.address().substring(first.address().lastIndexOf(':') + 1);
      Path second =
          config(
              "second.toml",
              "directory = '%s'\nport = %s\n".formatted(folder.resolve("second"), port));
      var failure =
          assertThrows(LuciolaException.class, () -> Servers.start(ServerKind.META_SERVER, second));
      assertTrue(String.valueOf(failure.getMessage()).contains("port=" + port));
    }
  }

  @Test
  void aDirectoryInUseIsRefused() throws IOException {
    try (RunningServer _ = meta()) {
      var failure = assertThrows(LuciolaException.class, this::meta);
      assertTrue(
          String.valueOf(failure.getMessage()).contains(folder.resolve("meta").toString()),
          failure::getMessage);
    }
  }

  @Test
  void whatMustBeSaidIsAskedFor() throws IOException {
    Path file = config("empty.toml", "");
    for (ServerKind kind : ServerKind.values()) {
      var failure = assertThrows(CommandFailure.class, () -> Servers.start(kind, file));
      assertTrue(String.valueOf(failure.getMessage()).contains("missing key"), kind::toString);
    }
  }

  @Test
  void theCommandsRefuseAMissingOrWrongFile() throws IOException {
    var run = new Run().in(folder);
    assertEquals(2, run.command("meta-server"));
    assertEquals(2, run.command("storage-server", "--config", "nothere.toml"));
    assertTrue(run.err().contains("no such configuration file"), run.err());
    config("typo.toml", "directroy = '/x'\n");
    assertEquals(2, run.command("meta-server", "--config", "typo.toml"));
    assertTrue(run.err().contains("unknown key directroy"), run.err());
  }
}
