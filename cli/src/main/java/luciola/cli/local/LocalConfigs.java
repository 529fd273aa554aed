package luciola.cli.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import luciola.cli.server.AgentSettings;
import luciola.cli.server.ConfigFile;
import luciola.meta.cluster.ClusterTimings;
import luciola.meta.placement.Place;
import luciola.meta.server.MetaServerConfig;
import luciola.protocol.control.HostPort;
import luciola.storage.server.StorageServerConfig;

/** The configuration files of a local cluster's servers, written anew at each start. */
final class LocalConfigs {
  /**
   * Shorter than the defaults: on one machine no network hides a server, and somebody waits at the
   * terminal. Long enough for a busy laptop.
   */
  private static final ClusterTimings TIMINGS =
      new ClusterTimings(
          Duration.ofMillis(500).toNanos(),
          Duration.ofSeconds(4).toNanos(),
          Duration.ofSeconds(6).toNanos());

  private static final Duration CLIENT_TIMEOUT = Duration.ofSeconds(60);
  private static final int SOCKET_BYTES_MAX = 100;

  private LocalConfigs() {}

  static void meta(Path file, HostPort address) throws IOException {
    ConfigFile.write(
        file,
        MetaServerConfig.of(folder(file).resolve("data"))
            .withAddress(address.host(), address.port())
            .withTimings(TIMINGS, CLIENT_TIMEOUT.toNanos()));
  }

  /** All run on one machine; each counts as one, so that replicas go to different servers. */
  static void storage(Path file, int number, HostPort address, List<String> metaServers)
      throws IOException {
    ConfigFile.write(
        file,
        StorageServerConfig.of(
                folder(file).resolve("data"),
                List.of(folder(file).resolve("target-1")),
                metaServers)
            .withAddress(address.host(), address.port())
            .withLabels(Map.of(Place.HOST, "local-" + number)));
  }

  static void agent(Path file, Path socket, List<String> metaServers) throws IOException {
    ConfigFile.write(file, AgentSettings.of(metaServers, socket));
  }

  /** A socket in the folder, or in the folder of temporary files where the path is too long. */
  static Path socket(Path folder) {
    Path near = folder.resolve("agent.sock");
    return near.toString().getBytes(StandardCharsets.UTF_8).length <= SOCKET_BYTES_MAX
        ? near
        : Path.of(
            System.getProperty("java.io.tmpdir"),
            "luciola-%08x.sock".formatted(folder.toString().hashCode()));
  }

  private static Path folder(Path file) throws IOException {
    Path folder = file.getParent();
    return Files.createDirectories(folder == null ? Path.of("") : folder);
  }
}
