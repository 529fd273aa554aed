package luciola.cli.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import luciola.cli.connection.ClusterFile;
import luciola.cli.terminal.CommandFailure;

/**
 * Ports of a local cluster: those of its last life, the ones asked for, or free ones. Free ones are
 * taken below the range that the kernel gives to outgoing connections (32768 and up), else one of
 * those could sit on a port that a server comes back to.
 */
final class Ports {
  private static final int FIRST = 20_000;
  private static final int END = 32_000;
  private static final int ATTEMPTS_MAX = 1_000;

  private final Optional<ClusterFile> previous;
  private final int base;
  private final Set<Integer> given = new HashSet<>();

  Ports(Optional<ClusterFile> previous, int base) {
    this.previous = previous;
    this.base = base;
  }

  /** The port of a server; {@code index} counts from the base. */
  int of(String name, int index) {
    Optional<Integer> old = previous.flatMap(file -> file.role(name)).map(Ports::portOf);
    int port = base > 0 ? base + index : old.orElseGet(this::anyFree);
    if (!given.add(port) || !free(port)) {
      throw CommandFailure.failed(
          "port "
              + port
              + " of "
              + name
              + " is taken by another process: stop that, or choose other ports by --port");
    }
    return port;
  }

  private int anyFree() {
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, END);
      if (!given.contains(port) && free(port)) {
        return port;
      }
    }
    throw CommandFailure.failed("found no free port from " + FIRST + " to " + END);
  }

  private static int portOf(ClusterFile.Role role) {
    return Integer.parseInt(role.address().substring(role.address().lastIndexOf(':') + 1));
  }

  private static boolean free(int port) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException _) {
      return false;
    }
  }
}
