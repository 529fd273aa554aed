package luciola.loader.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import luciola.client.LuciolaFileSystem;
import luciola.loader.slot.AgentSocket;
import luciola.loader.slot.SharedRegion;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds the trainers of one node over a Unix socket. Each trainer is served by its own virtual
 * threads and has its own shared memory; what one does or fails to do does not touch the others.
 */
public final class LoaderAgent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LoaderAgent.class);

  private final AgentConfiguration configuration;
  private final LuciolaFileSystem files;
  private final ServerSocketChannel server;
  private final RegionBudget budget;
  private final Transfers finished = new Transfers();
  private final Map<AgentConnection, Thread> connections = new ConcurrentHashMap<>();
  private final Thread acceptor;

  private LoaderAgent(
      AgentConfiguration configuration, LuciolaFileSystem files, ServerSocketChannel server) {
    this.configuration = configuration;
    this.files = files;
    this.server = server;
    this.budget = new RegionBudget(configuration.regionBytesMax());
    this.acceptor = Thread.ofVirtual().name("agent-accept").unstarted(this::accept);
  }

  /**
   * Listens at the configured socket, which only this user can connect to.
   *
   * @param files stays the caller's; must outlive the agent
   * @throws LuciolaException EXISTS if another agent listens there
   */
  public static LoaderAgent start(AgentConfiguration configuration, LuciolaFileSystem files) {
    Path socket = configuration.socket();
    SharedRegion.removeLeftovers(configuration.sharedMemory());
    try {
      removeDeadSocket(socket);
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        server.bind(UnixDomainSocketAddress.of(socket));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      } catch (IOException | RuntimeException e) {
        server.close();
        throw e;
      }
      LoaderAgent agent = new LoaderAgent(configuration, files, server);
      agent.acceptor.start();
      LOG.info("agent listens {}", configuration);
      return agent;
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INVALID_ARGUMENT,
          "start agent: cannot listen: socket=" + socket + " cause=" + e.getMessage(),
          e);
    }
  }

  private static void removeDeadSocket(Path socket) throws IOException {
    if (!Files.exists(socket)) {
      return;
    }
    try (AgentSocket _ = AgentSocket.connect(socket)) {
      throw new LuciolaException(
          ErrorCode.EXISTS, "start agent: another agent listens there: socket=" + socket);
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.CONNECTION_LOST) {
        throw e;
      }
      Files.delete(socket); // nobody listens: left by an agent that was killed
    }
  }

  /** Where it listens. */
  public Path socket() {
    return configuration.socket();
  }

  /** Trainers connected now. */
  public int trainers() {
    return connections.size();
  }

  /** Shared memory that trainers have now. */
  public long regionBytes() {
    return budget.taken();
  }

  /** What all trainers, past and present, were given. */
  public TransferReport report() {
    TransferReport sum = finished.report();
    for (AgentConnection connection : connections.keySet()) {
      sum = sum.plus(connection.report());
    }
    return sum;
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = server.accept();
        if (connections.size() >= configuration.connectionsMax()) {
          LOG.warn("trainer refused connectionsMax={}", configuration.connectionsMax());
          channel.close();
          continue;
        }
        serve(new AgentSocket(channel));
      }
    } catch (ClosedChannelException e) {
      LOG.debug("agent stops listening socket={}", configuration.socket(), e);
    } catch (IOException e) {
      LOG.error("agent cannot accept socket={}", configuration.socket(), e);
    }
  }

  private void serve(AgentSocket socket) {
    AgentConnection connection = new AgentConnection(configuration, files, budget, socket);
    Thread thread =
        Thread.ofVirtual()
            .name("agent-trainer")
            .unstarted(() -> {
              try {
                connection.run();
              } finally {
                finished.add(connection.report());
                connections.remove(connection);
              }
            });
    connections.put(connection, thread);
    thread.start();
  }

  /** Stops listening, ends every trainer's connection and waits for what is under way. */
  @Override
  public void close() {
    try {
      server.close();
      acceptor.join();
      for (Map.Entry<AgentConnection, Thread> entry : connections.entrySet()) {
        entry.getKey().close();
        entry.getValue().join();
      }
      Files.deleteIfExists(configuration.socket());
    } catch (IOException e) {
      throw new LuciolaException(
          ErrorCode.INTERNAL, "close agent: socket=" + configuration.socket(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
