package luciola.deploy.container;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.Network.Ipam;
import com.github.dockerjava.api.model.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import luciola.cli.server.ConfigFile;
import luciola.cli.soak.fault.Cut;
import luciola.cli.soak.fault.Fleet;
import luciola.cli.soak.fault.FleetOptions;
import luciola.meta.server.MetaServerConfig;
import luciola.storage.engine.EngineConfig;
import luciola.storage.server.StorageServerConfig;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.startupcheck.IsRunningStartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.utility.DockerImageName;

/**
 * A container for each server on a private network with fixed addresses, which this machine reaches
 * directly. The servers' data lie in folders of this machine.
 */
final class ContainerFleet implements Fleet {
  private static final String META = "meta-1";
  private static final int META_PORT = 7420;
  private static final int STORAGE_PORT = 7430;
  private static final long POLL_NANOS = 20_000_000;
  private static final Duration STOP = Duration.ofSeconds(20);
  private static final Duration START = Duration.ofMinutes(3);

  private final FleetOptions options;
  private final String image;
  private final String subnet = "10.214." + ThreadLocalRandom.current().nextInt(1, 250) + ".";
  private final Network network;
  private final Map<String, Server> servers = new LinkedHashMap<>();

  private static final class Server {
    final Path folder;
    final String address;
    final String command;
    @Nullable GenericContainer<?> container;
    boolean killed;

    Server(Path folder, String address, String command) {
      this.folder = folder;
      this.address = address;
      this.command = command;
    }

    String id() throws IOException {
      GenericContainer<?> made = container;
      if (made == null) {
        throw new IOException("was never started: " + folder);
      }
      return made.getContainerId();
    }
  }

  /** Prepares configurations and the network; nothing runs yet. */
  ContainerFleet(FleetOptions options, String image) throws IOException {
    this.options = options;
    this.image = image;
    this.network =
        Network.builder()
            .createNetworkCmdModifier(command ->
                command.withIpam(
                    new Ipam().withConfig(new Ipam.Config().withSubnet(subnet + "0/24"))))
            .build();
    network.getId();
    Path inside = Path.of("/data");
    Server meta = add(META, 10, "meta-server");
    ConfigFile.write(
        meta.folder.resolve("config.toml"),
        MetaServerConfig.of(inside.resolve("meta"))
            .withAddress(meta.address, META_PORT)
            .withTimings(options.timings(), Duration.ofMinutes(1).toNanos()));
    for (int number = 1; number <= options.storageServers(); number++) {
      Server storage = add("storage-" + number, 10 + number, "storage-server");
      ConfigFile.write(
          storage.folder.resolve("config.toml"),
          StorageServerConfig.of(
                  inside.resolve("server"), List.of(inside.resolve("target-1")), metaAddresses())
              .withAddress(storage.address, STORAGE_PORT)
              // This machine may be busy writing the image.
              .withStartTimeout(START)
              .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(options.capacityBytes()))
              .withScrub(64L << 20, options.scrubPause()));
    }
  }

  private Server add(String name, int number, String command) throws IOException {
    Path folder = Files.createDirectories(options.folder().resolve(name));
    var server = new Server(folder, subnet + number, command);
    servers.put(name, server);
    return server;
  }

  private Server server(String name) {
    Server server = servers.get(name);
    if (server == null) {
      throw new IllegalArgumentException("no server " + name + " in " + servers.keySet());
    }
    return server;
  }

  private static DockerClient engine() {
    return DockerClientFactory.instance().client();
  }

  @Override
  public List<String> metaServers() {
    return List.of(META);
  }

  @Override
  public List<String> storageServers() {
    return servers.keySet().stream().filter(name -> !name.equals(META)).toList();
  }

  @Override
  public List<String> metaAddresses() {
    return List.of(server(META).address + ":" + META_PORT);
  }

  @Override
  public String address(String name) {
    return server(name).address + ":" + (name.equals(META) ? META_PORT : STORAGE_PORT);
  }

  @Override
  public void start(String name) throws IOException {
    Server server = server(name);
    server.killed = false;
    try {
      if (server.container == null) {
        server.container = make(name, server);
        server.container.start();
      } else {
        engine().startContainerCmd(server.id()).exec();
      }
    } catch (RuntimeException e) {
      throw new IOException("cannot start: server=" + name, e);
    }
  }

  private GenericContainer<?> make(String name, Server server) {
    List<String> command = new ArrayList<>(ProgramImage.COMMAND);
    command.addAll(List.of(server.command, "--config", "/data/config.toml"));
    return new GenericContainer<>(DockerImageName.parse(image))
        .withImagePullPolicy(_ -> false)
        .withNetwork(network)
        .withNetworkAliases(name)
        .withCommand(command.toArray(String[]::new))
        .withCreateContainerCmdModifier(create -> {
          create.withIpv4Address(server.address);
          var host = create.getHostConfig();
          if (host != null) {
            host.withBinds(new Bind(server.folder.toString(), new Volume("/data")));
          }
        })
        .withStartupCheckStrategy(new IsRunningStartupCheckStrategy())
        .waitingFor(new Started());
  }

  /** The fleet's user sees for himself when it serves. */
  private static final class Started extends AbstractWaitStrategy {
    @Override
    protected void waitUntilReady() {}
  }

  @Override
  public void kill(String name) throws IOException, InterruptedException {
    Server server = server(name);
    server.killed = true;
    engine().killContainerCmd(server.id()).exec();
    long deadline = System.nanoTime() + STOP.toNanos();
    while (running(server)) {
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("still runs: server=" + name);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private static boolean running(Server server) throws IOException {
    return Boolean.TRUE.equals(inspect(server).getState().getRunning());
  }

  private static InspectContainerResponse inspect(Server server) throws IOException {
    return engine().inspectContainerCmd(server.id()).exec();
  }

  @Override
  public void wipe(String name) throws IOException {
    throw new IOException("data of containers is not removed: server=" + name);
  }

  @Override
  public void pause(String name) throws IOException {
    engine().pauseContainerCmd(server(name).id()).exec();
  }

  @Override
  public void resume(String name) throws IOException {
    Server server = server(name);
    if (Boolean.TRUE.equals(inspect(server).getState().getPaused())) {
      engine().unpauseContainerCmd(server.id()).exec();
    }
  }

  @Override
  public Optional<String> ended(String name) {
    Server server = server(name);
    GenericContainer<?> container = server.container;
    try {
      if (server.killed || container == null) {
        return Optional.empty();
      }
      var state = inspect(server).getState();
      return Boolean.TRUE.equals(state.getRunning())
          ? Optional.empty()
          : Optional.of("exit code " + state.getExitCodeLong() + ": " + lastWords(name));
    } catch (IOException | DockerException e) {
      return Optional.of("cannot be asked: " + e);
    }
  }

  @Override
  public String lastWords(String name) {
    GenericContainer<?> container = server(name).container;
    return container == null
        ? "was never started"
        : Fleet.newestFirst(container.getLogs().lines().toList());
  }

  @Override
  public List<Path> targetDirectories(String name) {
    return List.of(server(name).folder.resolve("target-1"));
  }

  @Override
  public Set<Cut> cuts() {
    return Set.of(Cut.ALL);
  }

  @Override
  public void cut(String name, Cut cut) throws IOException {
    engine()
        .disconnectFromNetworkCmd()
        .withContainerId(server(name).id())
        .withNetworkId(network.getId())
        .withForce(true)
        .exec();
  }

  @Override
  public void heal(String name) throws IOException {
    Server server = server(name);
    engine()
        .connectToNetworkCmd()
        .withContainerId(server.id())
        .withNetworkId(network.getId())
        .withContainerNetwork(
            new ContainerNetwork()
                .withIpamConfig(new ContainerNetwork.Ipam().withIpv4Address(server.address)))
        .exec();
  }

  @Override
  public void close() {
    for (Server server : servers.values()) {
      GenericContainer<?> container = server.container;
      if (container != null) {
        container.stop();
      }
    }
    network.close();
  }
}
