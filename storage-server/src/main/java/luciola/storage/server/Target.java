package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ClusterId;
import luciola.protocol.id.TargetId;
import luciola.storage.disk.TargetDirectory;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.ReplicaSource;

/**
 * One target: its directory with identity and lock, and its engine. It may be closed and opened
 * again, by one thread at a time; others see the last engine, which refuses them once it is closed.
 */
final class Target implements AutoCloseable {
  private final Path path;
  private final ClusterId cluster;
  private final Opener opener;
  private final AtomicReference<ReplicaSource> replicas = new AtomicReference<>(ReplicaSource.NONE);
  private final long uuid;
  private volatile long number;
  private volatile Opened opened;

  /** The part that is closed. */
  private record Opened(TargetDirectory directory, ChunkEngine engine) {}

  /** Opens the engine in a target's directory. */
  interface Opener {
    ChunkEngine open(Path path, ReplicaSource replicas) throws IOException;
  }

  private Target(Path path, ClusterId cluster, Opener opener) throws IOException {
    this.path = path;
    this.cluster = cluster;
    this.opener = opener;
    this.opened = opened();
    this.uuid = opened.directory().number("uuid");
    this.number = opened.directory().number("target");
  }

  /** Opens a target of a cluster, making it if the directory is new. */
  static Target open(Path path, ClusterId cluster, Opener opener) throws IOException {
    return new Target(path, cluster, opener);
  }

  private Opened opened() throws IOException {
    TargetDirectory directory = TargetDirectory.open(path);
    try {
      directory.bindCluster(cluster.value());
      if (directory.number("uuid") == 0) {
        directory.put("uuid", ThreadLocalRandom.current().nextLong() | 1);
      }
      ChunkEngine engine = opener.open(path, chunk -> replicas.get().others(chunk));
      return new Opened(directory, engine);
    } catch (IOException | RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  /**
   * Opens the target again after {@link #close}, if what lies there is still this target; nothing
   * is made and nothing written otherwise.
   *
   * @throws LuciolaException NOT_FOUND if nothing lies there, IDENTITY_IN_USE if another target
   *     does, WRONG_CLUSTER; and as {@link #open}
   */
  void reopen() throws IOException {
    try (TargetDirectory there = TargetDirectory.existing(path)) {
      if (there.number("uuid") != uuid || there.number("target") != number) {
        throw new LuciolaException(
            ErrorCode.IDENTITY_IN_USE,
            "another target lies in the directory: directory="
                + path
                + " target="
                + there.number("target")
                + " expected="
                + number
                + "; it is taken as what it is when the storage-server starts");
      }
      if (there.number("cluster") != cluster.value()) {
        throw new LuciolaException(
            ErrorCode.WRONG_CLUSTER,
            "directory belongs to another cluster: directory="
                + path
                + " cluster="
                + Long.toHexString(there.number("cluster")));
      }
    }
    opened = opened();
  }

  ChunkEngine engine() {
    return opened.engine();
  }

  Path path() {
    return path;
  }

  long uuid() {
    return uuid;
  }

  /** The raw number; 0 before the first registration. */
  long number() {
    return number;
  }

  TargetId id() {
    return new TargetId(number());
  }

  /** Keeps the number that the manager gave. */
  void keepNumber(long given) throws IOException {
    if (number != given) {
      opened.directory().put("target", given);
      number = given;
    }
  }

  /** From now on bad blocks are repaired from there. */
  void repairFrom(ReplicaSource source) {
    replicas.set(source);
  }

  /** Closes engine and directory; nothing of the disk is in use afterwards. */
  @Override
  public void close() throws IOException {
    Opened now = opened;
    try {
      now.engine().close();
    } finally {
      now.directory().close();
    }
  }
}
