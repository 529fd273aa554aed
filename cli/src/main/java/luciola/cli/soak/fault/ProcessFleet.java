package luciola.cli.soak.fault;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import luciola.cli.local.JavaCommand;
import luciola.cli.server.ConfigFile;
import luciola.cli.server.ServerKind;
import luciola.meta.log.Member;
import luciola.meta.server.MetaServerConfig;
import luciola.storage.engine.EngineConfig;
import luciola.storage.server.StorageServerConfig;
import org.jspecify.annotations.Nullable;

/** Each server a process of this program, with a folder, a configuration and a log of its own. */
public final class ProcessFleet implements Fleet {

  /**
   * Below the ports that the kernel gives to outgoing connections: a server comes back to its own.
   */
  private static final int PORT_FIRST = 20_000;

  private static final int PORT_END = 32_000;
  private static final int STOP_SECONDS = 20;

  private final FleetOptions options;
  private final Network network;
  private final Map<String, Server> servers = new LinkedHashMap<>();
  private boolean closed;

  private ProcessFleet(FleetOptions options, Network network) throws IOException {
    this.options = options;
    this.network = network;
    addMetas();
    for (int number = 1; number <= options.storageServers(); number++) {
      addStorage("storage-" + number);
    }
  }

  /** Prepares a fleet on loopback; nothing runs yet. */
  public static ProcessFleet prepare(FleetOptions options) throws IOException {
    return new ProcessFleet(options, Network.LOOPBACK);
  }

  /** Prepares a fleet where each server has a network namespace of its own; needs root. */
  public static ProcessFleet inNamespaces(FleetOptions options)
      throws IOException, InterruptedException {
    List<String> metas = metaNames(options);
    List<String> names = new ArrayList<>(metas);
    for (int number = 1; number <= options.storageServers(); number++) {
      names.add("storage-" + number);
    }
    Namespaces network = Namespaces.make(names, Set.copyOf(metas));
    try {
      return new ProcessFleet(options, network);
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private static List<String> metaNames(FleetOptions options) {
    return IntStream.rangeClosed(1, options.metaServers())
        .mapToObj(number -> "meta-" + number)
        .toList();
  }

  private void addMetas() throws IOException {
    List<Member> members = new ArrayList<>();
    for (String name : metaNames(options)) {
      add(name, ServerKind.META_SERVER);
      var member = new Member(name, network.host(name), freePort(), freePort());
      server(name).address = member.serviceAddress();
      members.add(member);
    }
    for (Member member : members) {
      MetaServerConfig alone =
          MetaServerConfig.of(server(member.id()).folder.resolve("data"))
              .withAddress(member.host(), member.servicePort())
              .withTimings(options.timings(), options.clientTimeout().toNanos());
      ConfigFile.write(
          server(member.id()).config(),
          members.size() == 1 ? alone : alone.withMembers(member.id(), members));
    }
  }

  private void addStorage(String name) throws IOException {
    add(name, ServerKind.STORAGE_SERVER);
    Path folder = server(name).folder;
    int port = freePort();
    server(name).address = network.host(name) + ":" + port;
    ConfigFile.write(
        server(name).config(),
        StorageServerConfig.of(
                folder.resolve("data"), List.of(folder.resolve("target-1")), metaAddresses())
            .withAddress(network.host(name), port)
            .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(options.capacityBytes()))
            .withScrub(64L << 20, options.scrubPause()));
  }

  private static final class Server {
    final String name;
    final ServerKind kind;
    final Path folder;
    String address = "";
    @Nullable Process process;
    boolean killed;

    Server(String name, ServerKind kind, Path folder) {
      this.name = name;
      this.kind = kind;
      this.folder = folder;
    }

    Path config() {
      return folder.resolve("config.toml");
    }

    Path log() {
      return folder.resolve("server.log");
    }

    Process running() throws IOException {
      Process running = process;
      if (running == null || !running.isAlive()) {
        throw new IOException("not running: server=" + name);
      }
      return running;
    }
  }

  private void add(String name, ServerKind kind) throws IOException {
    Path folder = Files.createDirectories(options.folder().resolve(name));
    servers.put(name, new Server(name, kind, folder));
  }

  private Server server(String name) {
    Server server = servers.get(name);
    if (server == null) {
      throw new IllegalArgumentException("no server " + name + " in " + servers.keySet());
    }
    return server;
  }

  private static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(PORT_FIRST, PORT_END);
      try (var socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(port));
        return port;
      } catch (IOException _) {
        // Taken; another one.
      }
    }
  }

  @Override
  public List<String> metaServers() {
    return names(ServerKind.META_SERVER);
  }

  @Override
  public List<String> storageServers() {
    return names(ServerKind.STORAGE_SERVER);
  }

  private List<String> names(ServerKind kind) {
    return servers.values().stream()
        .filter(server -> server.kind == kind)
        .map(server -> server.name)
        .toList();
  }

  @Override
  public List<String> metaAddresses() {
    return metaServers().stream().map(this::address).toList();
  }

  @Override
  public String address(String name) {
    return server(name).address;
  }

  @Override
  public synchronized void start(String name) throws IOException {
    checkOpen();
    Server server = server(name);
    Process before = server.process;
    if (before != null && before.isAlive()) {
      throw new IOException("runs already: server=" + name);
    }
    List<String> command =
        JavaCommand.of(
            List.of("-Xmx" + options.heapBytes(), "-XX:TieredStopAtLevel=1"),
            List.of(
                server.kind.commandName(), "--config", server.config().toString(), "--until-eof"));
    server.killed = false;
    server.process = JavaCommand.apart(network.inside(name, command), server.log());
  }

  @Override
  public synchronized void kill(String name) throws IOException, InterruptedException {
    Server server = server(name);
    server.killed = true;
    server.running().destroyForcibly().waitFor();
  }

  @Override
  public synchronized void wipe(String name) throws IOException {
    Server server = server(name);
    Process process = server.process;
    if (server.kind != ServerKind.META_SERVER || (process != null && process.isAlive())) {
      throw new IOException("not a meta-server that is down: server=" + name);
    }
    try (Stream<Path> all = Files.walk(server.folder.resolve("data"))) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  @Override
  public void pause(String name) throws IOException {
    Signals.stop(server(name).running().pid());
  }

  @Override
  public void resume(String name) throws IOException {
    Signals.resume(server(name).running().pid());
  }

  @Override
  public Optional<String> ended(String name) {
    Server server = server(name);
    Process process = server.process;
    if (server.killed || process == null || process.isAlive()) {
      return Optional.empty();
    }
    return Optional.of("exit code " + process.exitValue() + ": " + lastWords(name));
  }

  @Override
  public String lastWords(String name) {
    try {
      return Fleet.newestFirst(Files.readAllLines(server(name).log()));
    } catch (IOException e) {
      return "no log: " + e;
    }
  }

  @Override
  public List<Path> targetDirectories(String name) {
    return List.of(server(name).folder.resolve("target-1"));
  }

  @Override
  public Set<Cut> cuts() {
    return network.cuts();
  }

  @Override
  public synchronized void cut(String name, Cut cut) throws IOException, InterruptedException {
    checkOpen();
    network.cut(name, cut);
  }

  @Override
  public synchronized void heal(String name) throws IOException, InterruptedException {
    checkOpen();
    network.heal(name);
  }

  private void checkOpen() throws IOException {
    if (closed) {
      throw new IOException("the fleet is closed");
    }
  }

  /** SIGKILL for all: what they acknowledged must be safe at any time. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    for (Server server : servers.values()) {
      Process process = server.process;
      if (process != null) {
        server.killed = true;
        process.destroyForcibly();
      }
    }
    boolean interrupted = Thread.interrupted();
    for (Server server : servers.values()) {
      Process process = server.process;
      try {
        if (process != null && !process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
          throw new IOException("still runs: server=" + server.name + " pid=" + process.pid());
        }
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    network.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
