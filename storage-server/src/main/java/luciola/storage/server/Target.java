package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.TargetId;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.ReplicaSource;

/** One target: its directory with identity and lock, and its engine. */
final class Target implements AutoCloseable {
  private final TargetDirectory directory;
  private final ChunkEngine engine;
  private final AtomicReference<ReplicaSource> replicas;

  private Target(
      TargetDirectory directory, ChunkEngine engine, AtomicReference<ReplicaSource> replicas) {
    this.directory = directory;
    this.engine = engine;
    this.replicas = replicas;
  }

  /** Opens a target of a cluster, making it if the directory is new. */
  static Target open(Path path, ClusterId cluster, EngineConfig config) throws IOException {
    TargetDirectory directory = TargetDirectory.open(path);
    try {
      directory.bindCluster(cluster.value());
      if (directory.number("uuid") == 0) {
        directory.put("uuid", ThreadLocalRandom.current().nextLong() | 1);
      }
      var replicas = new AtomicReference<>(ReplicaSource.NONE);
      ChunkEngine engine =
          ChunkEngine.open(
              String.valueOf(path.getFileName()),
              path,
              config,
              (chunk, version, into) -> replicas.get().fetch(chunk, version, into));
      return new Target(directory, engine, replicas);
    } catch (IOException | RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  ChunkEngine engine() {
    return engine;
  }

  Path path() {
    return directory.path();
  }

  long uuid() {
    return directory.number("uuid");
  }

  /** The raw number; 0 before the first registration. */
  long number() {
    return directory.number("target");
  }

  TargetId id() {
    return new TargetId(number());
  }

  /** Keeps the number that the manager gave. */
  void keepNumber(long number) throws IOException {
    if (number() != number) {
      directory.put("target", number);
    }
  }

  /** From now on bad blocks are repaired from there. */
  void repairFrom(ReplicaSource source) {
    replicas.set(source);
  }

  @Override
  public void close() throws IOException {
    try {
      engine.close();
    } finally {
      directory.close();
    }
  }
}
