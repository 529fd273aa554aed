package luciola.storage.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import luciola.protocol.connection.PayloadPool;
import luciola.storage.disk.DirectBlockFile;
import luciola.storage.disk.DiskSpace;
import luciola.storage.engine.ChunkEngine;
import luciola.storage.engine.EngineConfig;
import luciola.storage.engine.EngineParts;
import luciola.storage.engine.EngineThreads;
import luciola.storage.engine.ReplicaSource;
import luciola.storage.index.KeyValues;
import luciola.storage.journal.JournaledKeyValues;

/** Opens engines on real directories, some of which cannot be written at the moment. */
final class BreakableDisks implements Target.Opener {
  private final Set<Path> broken = ConcurrentHashMap.newKeySet();
  private final PayloadPool scratch = new PayloadPool(256L << 20);

  void broken(Path target) {
    broken.add(target);
  }

  void mended(Path target) {
    broken.remove(target);
  }

  private void check(Path target) throws IOException {
    if (broken.contains(target)) {
      throw new IOException("input/output error, said by the test: " + target);
    }
  }

  @Override
  public ChunkEngine open(Path path, ReplicaSource replicas) throws IOException {
    check(path);
    Path files = Files.createDirectories(path.resolve("blocks"));
    EngineConfig config = EngineConfig.DEFAULTS.withCapacityBytes(4L << 30);
    return ChunkEngine.open(
        path.toString(),
        new EngineParts(
            config,
            DirectBlockFile.in(files),
            DiskSpace.of(files),
            new Store(
                path,
                JournaledKeyValues.open(
                    path, config.metadataCacheBytes(), config.journalBytes(), true)),
            EngineThreads.platform(),
            scratch,
            replicas,
            System::nanoTime));
  }

  /** Metadata whose writes fail while the disk is broken. */
  private final class Store implements KeyValues {
    private final Path path;
    private final KeyValues real;

    Store(Path path, KeyValues real) {
      this.path = path;
      this.real = real;
    }

    @Override
    public Optional<byte[]> get(byte[] key) {
      return real.get(key);
    }

    @Override
    public List<Pair> scan(byte[] from, byte[] to, int limit) {
      return real.scan(from, to, limit);
    }

    @Override
    public void write(List<Change> changes, boolean sync) throws IOException {
      check(path);
      real.write(changes, sync);
    }

    @Override
    public void sync() throws IOException {
      check(path);
      real.sync();
    }

    @Override
    public void close() {
      real.close();
    }
  }
}
