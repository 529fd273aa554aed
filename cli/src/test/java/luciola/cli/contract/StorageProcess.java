package luciola.cli.contract;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import luciola.storage.server.StorageServer;
import luciola.storage.server.StorageServerConfig;

/** A storage-server in a process of its own, which can be killed. */
final class StorageProcess implements AutoCloseable {
  static final String READY = "ready port=";

  private final Process process;

  private StorageProcess(Process process) {
    this.process = process;
  }

  /**
   * Starts one and waits until it serves.
   *
   * @param metaAddresses separated by commas
   */
  static StorageProcess start(Path directory, String metaAddresses) throws IOException {
    return new StorageProcess(launch(StorageProcess.class, directory, metaAddresses));
  }

  /** Starts a server in a process of its own and waits until it says that it is ready. */
  static Process launch(Class<?> program, Path directory, String arguments) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName(),
                directory.toString(),
                arguments)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    // RocksDB takes its library out of its jar; a killed process leaves that file behind.
    builder
        .environment()
        .put("ROCKSDB_SHAREDLIB_DIR", Files.createDirectories(directory).toString());
    Process process = builder.start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    while (line != null && !line.contains(READY)) {
      line = out.readLine();
    }
    if (line == null) {
      throw new IOException("the server did not start: directory=" + directory);
    }
    Thread.ofVirtual().start(() -> drain(out));
    return process;
  }

  private static void drain(BufferedReader out) {
    try (out) {
      while (out.readLine() != null) {
        // what it logs is not needed
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor(30, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /** The process itself: a data directory and meta-servers' addresses. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    try (StorageServer server =
        StorageServer.start(
            StorageServerConfig.of(
                directory.resolve("server"),
                List.of(directory.resolve("target")),
                List.of(arguments[1].split(",", -1))))) {
      System.out.println(READY + server.port());
      new CountDownLatch(1).await();
    }
  }
}
