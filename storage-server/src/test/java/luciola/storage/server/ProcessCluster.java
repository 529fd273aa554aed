package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.meta.server.MetaServer;
import luciola.protocol.id.ChainId;

/**
 * One meta-server here, and some storage-servers that are processes of their own, with one chain
 * over all of them.
 */
final class ProcessCluster implements AutoCloseable {
  private final Path directory;
  private final MetaServer meta;
  private final List<Process> processes = new ArrayList<>();
  final TestClient client;
  final ChainId chain;

  ProcessCluster(Path directory, int replicas) throws IOException {
    this.directory = directory;
    this.meta = ServerCluster.meta(directory);
    try {
      for (int i = 0; i < replicas; i++) {
        processes.add(process(i));
      }
      this.client = TestClient.of(address());
      this.chain = client.createTable(replicas, 1);
    } catch (IOException | RuntimeException | Error e) {
      processes.forEach(Process::destroyForcibly);
      meta.close();
      throw e;
    }
  }

  private String address() {
    return "127.0.0.1:" + meta.port();
  }

  private Process process(int number) throws IOException {
    return ServerProcess.start(directory.resolve("s" + number), address());
  }

  int size() {
    return processes.size();
  }

  /** Starts one that was killed. */
  void start(int number) throws IOException {
    processes.set(number, process(number));
  }

  void kill(int number) {
    processes.get(number).destroyForcibly().onExit().join();
  }

  /** Kills all of them at once. */
  void killAll() {
    processes.forEach(Process::destroyForcibly);
    processes.forEach(process -> process.onExit().join());
  }

  void awaitServing(int count) {
    client.await(chain, count + " serve", it -> TestClient.serve(it, count));
  }

  @Override
  public void close() {
    client.close();
    killAll();
    meta.close();
  }
}
