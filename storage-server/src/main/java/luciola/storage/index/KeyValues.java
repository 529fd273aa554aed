package luciola.storage.index;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Stored keys and values, in unsigned lexicographic order of the keys. Safe for use by many
 * threads; writes come from one.
 *
 * <p>A write takes effect as a whole. It is durable when a synced write at or after it has
 * returned; after a crash the writes that survive are a prefix of those made.
 */
@SuppressWarnings("ArrayRecordComponent")
public interface KeyValues extends AutoCloseable {
  Optional<byte[]> get(byte[] key);

  /** Pairs with a key from {@code from} on and before {@code to}, the least first. */
  List<Pair> scan(byte[] from, byte[] to, int limit);

  /**
   * Writes as a whole, the last change of a key counts; with {@code sync} this and everything
   * before it is durable on return.
   */
  void write(List<Change> changes, boolean sync) throws IOException;

  /** Makes everything written before durable. */
  void sync() throws IOException;

  /** Begins to make everything written before durable; writes go on meanwhile. */
  default Syncing beginSync() throws IOException {
    sync();
    return () -> {};
  }

  /** What is being made durable. */
  @FunctionalInterface
  interface Syncing {
    /** Waits until it is. */
    void await() throws IOException;
  }

  @Override
  void close();

  /** What is stored under a key. */
  record Pair(byte[] key, byte[] value) {}

  /**
   * One change.
   *
   * @param value null: the key is forgotten
   */
  record Change(byte[] key, byte @Nullable [] value) {}
}
