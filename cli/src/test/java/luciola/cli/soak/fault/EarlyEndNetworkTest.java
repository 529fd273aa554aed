package luciola.cli.soak.fault;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.local.JavaCommand;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A soak in network namespaces that is told to end: while it makes them, and while it runs. */
@Timeout(240)
final class EarlyEndNetworkTest {
  @TempDir private Path directory;

  @Test
  void noNamespaceAndNoLinkIsLeft() throws Exception {
    String missing = Namespaces.missing();
    assumeTrue(missing == null, "SKIPPED-TIER network: " + missing);
    endsCleanly("-storage-1");
    endsCleanly("-storage-3");
  }

  /** Ends it as soon as there is this namespace. */
  private void endsCleanly(String namespace) throws Exception {
    Path servers = directory.resolve("servers");
    Path log = directory.resolve("log");
    Process soak =
        new ProcessBuilder(
                JavaCommand.of(
                    List.of("-XX:TieredStopAtLevel=1"),
                    List.of(
                        "soak",
                        "--namespaces",
                        "--servers",
                        "3",
                        "--metas",
                        "3",
                        "--dir",
                        servers.toString())))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    String prefix = "lc" + soak.pid() % 100_000;
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      while (!networks().contains(prefix + namespace)) {
        assertTrue(System.nanoTime() - deadline < 0, Files.readString(log));
        LockSupport.parkNanos(5_000_000);
      }
      soak.destroy();
      assertTrue(soak.waitFor(60, TimeUnit.SECONDS), "it goes on");
      String left = networks();
      assertFalse(left.contains(prefix), left + Files.readString(log));
      assertFalse(Files.exists(servers), Files.readString(log));
    } finally {
      soak.destroyForcibly();
    }
  }

  /** Names of all namespaces and links of this machine. */
  private static String networks() throws Exception {
    return said("ip", "netns", "list") + said("ip", "link");
  }

  private static String said(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
