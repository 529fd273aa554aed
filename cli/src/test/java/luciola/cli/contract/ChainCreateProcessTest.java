package luciola.cli.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.Run;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.storage.engine.EngineConfig;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code chain create} against servers of this JVM. */
@Timeout(200)
final class ChainCreateProcessTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SERVERS = 3;

  @TempDir Path directory;

  private final List<StorageServer> servers = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private MetaServer meta;

  @SuppressWarnings("NullAway.Init")
  private Run run;

  @BeforeEach
  void threeServers() throws IOException {
    meta =
        MetaServer.start(
            MetaServerConfig.of(directory.resolve("meta"))
                .withAddress("127.0.0.1", 0)
                .withTimings(
                    new ClusterTimings(200_000_000L, 3_000_000_000L, 5_000_000_000L),
                    TimeUnit.MINUTES.toNanos(5)));
    for (int server = 1; server <= SERVERS; server++) {
      servers.add(
          StorageServer.start(
              StorageServerConfig.of(
                      directory.resolve("node-" + server),
                      List.of(directory.resolve("target-" + server)),
                      List.of("127.0.0.1:" + meta.port()))
                  .withLabels(Map.of("host", "h" + server))
                  .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(1L << 30))));
    }
    run = new Run().in(directory).with("LUCIOLA_CLUSTER", "127.0.0.1:" + meta.port());
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (run.command("chain", "create", "--dry-run") != 0) {
      assertTrue(System.nanoTime() - deadline < 0, "servers are not heard of: " + run.err());
      LockSupport.parkNanos(20_000_000);
    }
  }

  @AfterEach
  void stop() {
    servers.forEach(StorageServer::close);
    meta.close();
  }

  private JsonNode json(String... command) throws IOException {
    assertEquals(0, run.command(command), run.err());
    return JSON.readTree(run.out());
  }

  private void refused(int exitCode, String words, String... command) {
    assertEquals(exitCode, run.command(command), run.out());
    assertTrue(run.err().contains(words), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void chainsAreMadeAndFilesUseThem() throws IOException {
    assertTrue(run.out().contains("would make a chain of 3 targets"), run.out());
    assertEquals(0, run.command("chain", "ls", "--json"), run.err());
    assertEquals("", run.out(), "a dry run makes nothing");

    refused(1, "unknown table=1; there is none yet", "chain", "create", "1", "2", "--table", "1");
    refused(1, "unknown target=9", "chain", "create", "1", "9");
    refused(1, "target twice", "chain", "create", "1", "1");
    refused(2, "not the number of a target: x", "chain", "create", "x");
    refused(2, "do not go with targets", "chain", "create", "1", "2", "--replicas", "2");
    refused(2, "--replicas is 1 to 16: 0", "chain", "create", "--replicas", "0");
    refused(1, "replicas=4 hosts=3", "chain", "create", "--replicas", "4");

    JsonNode alone = json("chain", "create", "3", "1", "--json");
    assertFalse(alone.get("dryRun").asBoolean());
    assertEquals(1, alone.get("chains").get(0).get("chain").asInt());
    assertEquals("[3,1]", alone.get("chains").get(0).get("targets").toString());
    assertEquals(0, alone.get("table").asInt());

    assertEquals(0, run.command("table", "create", "--replicas", "2", "--chains", "1"), run.err());
    refused(1, "another number of replicas", "chain", "create", "1", "2", "3", "--table", "1");
    JsonNode longer = json("chain", "create", "--chains", "2", "--table", "1", "--json");
    assertEquals(2, longer.get("chains").size());
    assertEquals(2, longer.get("tableVersion").asInt());
    assertEquals(2, longer.get("chains").get(0).get("targets").size(), "as the table's others");
    assertEquals(4, longer.get("balance").get("chains").asInt());

    byte[] bytes = new byte[1 << 20];
    Files.write(directory.resolve("file"), bytes);
    assertEquals(0, run.command("put", "file", "/file"), run.err());
    assertEquals(0, run.command("cat", "/file"), run.err());
    assertEquals(bytes.length, run.outBytes().length);

    // Removed chunks are remembered for a while, and shown.
    assertEquals(0, run.command("rm", "/file"), run.err());
    assertEquals(0, run.command("target", "show", "1"), run.err());
    assertTrue(run.out().contains("forgotten since its server started"), run.out());
    JsonNode shown = json("target", "show", "1", "--json");
    assertTrue(shown.get("target").get("tombstones").isNumber());
    assertTrue(shown.get("target").get("tombstonesCollected").isNumber());
  }
}
