package luciola.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import luciola.cli.connection.ClusterFile;
import luciola.cli.connection.DataFolder;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another cluster answers where the local one is expected. */
class OtherClusterTest {
  @TempDir private Path directory;

  @Test
  void commandsRefuseAnotherClusterThanTheOneOfTheFolder() throws Exception {
    Path folder = Files.createDirectory(directory.resolve("luciola-data"));
    try (MetaServer meta =
            MetaServer.start(
                MetaServerConfig.of(directory.resolve("meta")).withAddress("127.0.0.1", 0));
        var _ = new DataFolder(folder).take().orElseThrow()) {
      var run = new Run().in(directory);
      describe(folder, meta, meta.clusterId());
      assertEquals(ExitCodes.DONE, run.command("ls", "/"), run.err());
      assertEquals(ExitCodes.DONE, run.command("node", "ls"), run.err());
      describe(folder, meta, meta.clusterId() ^ 1);
      for (List<String> command :
          List.of(
              List.of("ls", "/"),
              List.of("mkdir", "/new"),
              List.of("node", "ls"),
              List.of("chain", "cancel", "--all"),
              List.of("status"))) {
        assertEquals(ExitCodes.FAILED, run.command(command.toArray(String[]::new)));
        assertTrue(run.err().contains("another cluster answers: expected="), run.err());
      }
      String address = "127.0.0.1:" + meta.port();
      assertEquals(ExitCodes.DONE, run.command("ls", "/", "--cluster", address), run.err());
      assertEquals("", run.out(), "nothing was made");
    }
  }

  private static void describe(Path folder, MetaServer meta, long id) throws Exception {
    new ClusterFile(
            ClusterFile.FORMAT,
            String.format(Locale.ROOT, "%016x", id),
            List.of(
                new ClusterFile.Role(
                    "meta-1",
                    "meta-server",
                    "127.0.0.1:" + meta.port(),
                    ProcessHandle.current().pid())))
        .write(folder);
  }

  /** As scripts know them. */
  private static final class ExitCodes {
    static final int DONE = 0;
    static final int FAILED = 1;
  }
}
