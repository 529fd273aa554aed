package luciola.storage.index;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;

/**
 * Stored metadata of one target. Safe for use by many threads; writes come from one.
 *
 * <p>A write takes effect as a whole. It is durable when a synced write at or after it has
 * returned; after a crash the writes that survive are a prefix of those made.
 */
public interface ChunkIndex extends AutoCloseable {
  /** What is stored of a chunk; {@link ChunkRecord#NONE} where nothing is. */
  ChunkRecord chunk(ChunkKey chunk);

  /** Stored chunks from one on, in order of their keys. */
  List<Entry> chunks(ChunkKey from, int limit);

  Optional<DedupEntry> dedup(ChainId chain, ClientId client, int channel);

  /** A chain's dedup records after one, in order of client (unsigned) and channel. */
  List<DedupEntry> dedups(ChainId chain, Optional<UpdateTag> after, int limit);

  /** Writes as a whole; with {@code sync} this and everything before it is durable on return. */
  void write(Batch batch, boolean sync) throws IOException;

  /** Makes everything written before durable. */
  void sync() throws IOException;

  @Override
  void close();

  /** A chunk and its record. */
  record Entry(ChunkKey chunk, ChunkRecord record) {}

  /**
   * Changes to be written together.
   *
   * @param chunks new records; the last one of a chunk counts; an empty one is forgotten
   * @param dedups new dedup records; the last one of a channel counts
   * @param expired dedup records to forget
   */
  record Batch(List<Entry> chunks, List<DedupEntry> dedups, List<DedupEntry> expired) {
    public Batch {
      chunks = List.copyOf(chunks);
      dedups = List.copyOf(dedups);
      expired = List.copyOf(expired);
    }
  }
}
