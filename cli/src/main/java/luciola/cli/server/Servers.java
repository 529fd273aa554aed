package luciola.cli.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.client.cluster.GarbageCollector;
import luciola.loader.agent.LoaderAgent;
import luciola.meta.server.MetaServer;
import luciola.meta.server.MetaServerConfig;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts servers from their configuration files. */
public final class Servers {
  private static final Path NOWHERE = Path.of("/nowhere");

  /** Removed files whose chunks one round takes away. */
  private static final int GARBAGE_FILES_MAX = 256;

  private Servers() {}

  /** Starts a server in this JVM; it serves, or is about to, when this returns. */
  public static RunningServer start(ServerKind kind, Path config) throws IOException {
    return switch (kind) {
      case META_SERVER -> meta(config);
      case STORAGE_SERVER -> storage(config);
      case AGENT -> agent(config);
    };
  }

  private static RunningServer meta(Path file) {
    MetaServerConfig config = ConfigFile.read(file, MetaServerConfig.of(NOWHERE), "directory");
    log(ServerKind.META_SERVER, file, config);
    MetaServer server = MetaServer.start(config);
    var _ = server.broken().thenAccept(Servers::halt);
    return new Started(config.host() + ":" + server.port(), server::close);
  }

  /** Its state is not what the log says: whatever it answered next could be wrong. */
  private static void halt(Throwable cause) {
    logger().error("meta-server state is broken, the process stops", cause);
    Runtime.getRuntime().halt(ExitCode.FAILED);
  }

  private static RunningServer storage(Path file) throws IOException {
    StorageServerConfig config =
        ConfigFile.read(
            file,
            StorageServerConfig.of(NOWHERE, List.of(NOWHERE), List.of("127.0.0.1:1")),
            "dataDirectory",
            "targets",
            "metaAddresses");
    log(ServerKind.STORAGE_SERVER, file, config);
    StorageServer server = StorageServer.start(config);
    return new Started(config.host() + ":" + server.port(), server::close);
  }

  private static RunningServer agent(Path file) {
    AgentSettings config =
        ConfigFile.read(
            file, AgentSettings.of(List.of("127.0.0.1:1"), NOWHERE), "metaAddresses", "agent");
    if (config.agent().socket().equals(NOWHERE)) {
      throw CommandFailure.wrongUse(file + ": missing key agent.socket");
    }
    log(ServerKind.AGENT, file, config);
    ClusterFileSystem files =
        ClusterFileSystem.connect(
            ClusterOptions.of(config.metaAddresses()).withAccess(config.security().access()));
    try {
      LoaderAgent agent = LoaderAgent.start(config.agent(), files);
      GarbageCollector collector =
          GarbageCollector.start(
              files, config.garbagePeriod(), config.garbageAge(), GARBAGE_FILES_MAX);
      return new Started(
          agent.socket().toString(),
          () -> {
            collector.close();
            agent.close();
            files.close();
          });
    } catch (RuntimeException failure) {
      files.close();
      throw failure;
    }
  }

  private static void log(ServerKind kind, Path file, Record config) {
    logger().info("{} settings file={} {}", kind.commandName(), file, ConfigFile.line(config));
  }

  /** Made late: the level of logging is set first. */
  private static Logger logger() {
    return LoggerFactory.getLogger(Servers.class);
  }

  private record Started(String address, Runnable stop) implements RunningServer {
    @Override
    public void close() {
      stop.run();
    }
  }
}
