package luciola.cli.soak.fault;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The servers of one cluster, which can be hurt. Used by one thread at a time. */
public interface Fleet extends AutoCloseable {
  /** Names of the meta-servers. */
  List<String> metaServers();

  /** Names of the storage-servers. */
  List<String> storageServers();

  /** Addresses of the meta-servers for clients. */
  List<String> metaAddresses();

  /** {@code host:port} at which others reach a server. */
  String address(String server);

  /** Starts a server; it may not serve yet when this returns. */
  void start(String server) throws IOException;

  /** SIGKILL; returns when the process is gone. */
  void kill(String server) throws IOException, InterruptedException;

  /** Removes the data of a meta-server that does not run. */
  void wipe(String metaServer) throws IOException;

  /** SIGSTOP. */
  void pause(String server) throws IOException;

  /** SIGCONT. */
  void resume(String server) throws IOException;

  /** How its process ended, if that was by itself, and what it said last. */
  Optional<String> ended(String server);

  /** The last lines that it has logged, the newest first: a report may show no more than that. */
  String lastWords(String server);

  /** The end of a log as {@link #lastWords} gives it. */
  static String newestFirst(List<String> lines) {
    return String.join(
        "\n", lines.subList(Math.max(0, lines.size() - 12), lines.size()).reversed());
  }

  /** Directories of its targets, where they can be reached from here. */
  List<Path> targetDirectories(String server);

  /** How servers can be cut off here. */
  Set<Cut> cuts();

  /** Cuts a server off, besides what is cut already. */
  void cut(String server, Cut cut) throws IOException, InterruptedException;

  /** Mends everything that was cut of a server. */
  void heal(String server) throws IOException, InterruptedException;

  /** Ends all processes, from any thread; nothing can be started any more. */
  @Override
  void close() throws IOException;
}
