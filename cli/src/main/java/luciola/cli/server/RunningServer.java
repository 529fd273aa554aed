package luciola.cli.server;

/** A server that runs in this JVM. */
public interface RunningServer extends AutoCloseable {
  /** Where it listens: {@code host:port}, or a socket's path. */
  String address();

  /** Stops it cleanly; returns when it has let go of its files and ports. */
  @Override
  void close();
}
