package luciola.meta.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A meta-server in a process of its own, to be killed. */
final class MetaServerProcess implements AutoCloseable {
  private static final String READY = "listening on ";

  private final Process process;
  final int port;

  private MetaServerProcess(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static MetaServerProcess start(Path directory, Path output, long snapshotEntries)
      throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")),
                    MetaServerProcess.class.getName(),
                    directory.toString(),
                    Long.toString(snapshotEntries)))
            .redirectError(output.toFile());
    // RocksDB takes its library out of its jar; a killed process leaves that file behind.
    builder
        .environment()
        .put("ROCKSDB_SHAREDLIB_DIR", output.toAbsolutePath().resolveSibling("").toString());
    Process process = builder.start();
    var lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = lines.readLine();
    while (line != null && !line.startsWith(READY)) {
      line = lines.readLine();
    }
    if (line == null) {
      throw new IOException("the meta-server did not start");
    }
    var _ = Thread.ofVirtual().start(() -> lines.lines().forEach(_ -> {}));
    return new MetaServerProcess(process, Integer.parseInt(line.substring(READY.length())));
  }

  /** SIGKILL, and waits until it is gone. */
  void kill() throws InterruptedException {
    var _ = process.destroyForcibly();
    var _ = process.waitFor();
  }

  @Override
  public void close() {
    var _ = process.destroyForcibly();
  }

  /** Runs until killed. */
  public static void main(String[] arguments) throws InterruptedException {
    MetaServer server =
        MetaServer.start(
            MetaServerConfig.of(Path.of(arguments[0]))
                .withAddress("127.0.0.1", 0)
                .withSnapshotEntries(Long.parseLong(arguments[1])));
    System.out.println(READY + server.port());
    Thread.currentThread().join();
  }
}
