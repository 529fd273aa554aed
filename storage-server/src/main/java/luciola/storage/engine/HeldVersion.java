package luciola.storage.engine;

import java.util.Optional;
import luciola.storage.disk.BlockStore;
import luciola.storage.index.ChunkKey;
import luciola.storage.index.VersionRecord;

/** A version whose bytes stay as they are until it is closed, by a read or by its holder. */
public final class HeldVersion implements AutoCloseable {
  private final ChunkKey chunk;
  private final VersionRecord version;
  private final Optional<BlockStore.Pin> pin;

  HeldVersion(ChunkKey chunk, VersionRecord version, Optional<BlockStore.Pin> pin) {
    this.chunk = chunk;
    this.version = version;
    this.pin = pin;
  }

  ChunkKey chunk() {
    return chunk;
  }

  Optional<BlockStore.Pin> pin() {
    return pin;
  }

  /** What is held. */
  public VersionRecord version() {
    return version;
  }

  @Override
  public void close() {
    pin.ifPresent(BlockStore.Pin::close);
  }
}
