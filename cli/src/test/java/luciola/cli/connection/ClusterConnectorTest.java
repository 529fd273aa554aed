package luciola.cli.connection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.cli.Run;
import luciola.cli.terminal.ExitCode;
import luciola.client.LuciolaFileSystem;
import luciola.client.memory.MemoryFileSystem;
import luciola.protocol.access.ClientAccess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterConnectorTest {
  private static final List<String> SOMEWHERE = List.of("127.0.0.1:1");

  @TempDir private Path directory;

  private static long callSeconds(Connector connector) {
    return TimeUnit.NANOSECONDS.toSeconds(
        ((ClusterConnector) connector).options(SOMEWHERE, ClientAccess.NONE).metaCallNanos());
  }

  @Test
  void whatProgramsWaitBehindTriesForLongerThanACommand() {
    assertEquals(15, callSeconds(new ClusterConnector()));
    assertEquals(60, callSeconds(new ClusterConnector().patient()));
  }

  /** Knows who was asked to connect. */
  private static final class Asked implements Connector {
    private boolean patiently;
    private boolean hastily;

    @Override
    public LuciolaFileSystem connect(List<String> metaServers) {
      hastily = true;
      return new MemoryFileSystem();
    }

    @Override
    public Connector patient() {
      return _ -> {
        patiently = true;
        return new MemoryFileSystem();
      };
    }
  }

  @Test
  void aMountIsPatientAndACommandIsNot() {
    var asked = new Asked();
    var run = new Run(asked).in(directory);
    String at = "--cluster=" + SOMEWHERE.getFirst();
    assertEquals(
        ExitCode.FAILED, run.command("mount", directory.toString(), "--foreground", at), run.err());
    assertTrue(run.err().contains("only a cluster's files can be mounted"), run.err());
    assertTrue(asked.patiently && !asked.hastily);
    assertEquals(ExitCode.DONE, run.command("ls", "/", at), run.err());
    assertTrue(asked.hastily);
  }
}
