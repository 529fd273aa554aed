package luciola.storage.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import luciola.storage.engine.EngineConfig;

/** A storage-server in a process of its own, to be killed. */
final class ServerProcess {
  private static final String READY = "READY";

  private ServerProcess() {}

  /**
   * The child's main: data directory, target directory, meta address.
   *
   * @param args as above
   */
  public static void main(String[] args) throws Exception {
    StorageServer server =
        StorageServer.start(
            StorageServerConfig.of(Path.of(args[0]), List.of(Path.of(args[1])), List.of(args[2]))
                .withEngine(EngineConfig.DEFAULTS.withCapacityBytes(4L << 30)));
    System.out.println(READY + " port=" + server.port());
    new CountDownLatch(1).await();
  }

  /** Starts one and waits until it serves. */
  static Process start(Path home, String meta) throws IOException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                String.valueOf(classPath),
                ServerProcess.class.getName(),
                home.resolve("node").toString(),
                home.resolve("t").toString(),
                meta)
            .redirectErrorStream(true);
    // RocksDB takes its library out of its jar; a killed process leaves that file behind.
    builder.environment().put("ROCKSDB_SHAREDLIB_DIR", Files.createDirectories(home).toString());
    Process process = builder.start();
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    StringBuilder seen = new StringBuilder();
    String line = out.readLine();
    while (line != null && !line.startsWith(READY)) {
      seen.append(line).append('\n');
      line = out.readLine();
    }
    if (line == null) {
      throw new IOException("server process ended: " + seen);
    }
    Thread.ofVirtual().start(() -> out.lines().forEach(_ -> {}));
    return process;
  }
}
