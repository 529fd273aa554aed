package luciola.storage.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;
import org.jspecify.annotations.Nullable;

/**
 * Stored metadata of one target: keys {@code 'C'} + chain + chunk id and {@code 'D'} + chain +
 * client + channel, see {@link ChunkRecord} and {@link DedupEntry}; {@code 'W'} + block class +
 * position, see {@link SmallBytes}; and {@code 'M' "format"} with the number of the format as u32,
 * little-endian.
 *
 * <p>Safe for use by many threads; writes come from one, and are durable as {@link KeyValues} says.
 */
public final class ChunkIndex implements AutoCloseable {
  private static final byte CHUNK = 'C';
  private static final byte DEDUP = 'D';
  private static final byte SMALL = 'W';
  private static final byte[] FORMAT_KEY = {'M', 'f', 'o', 'r', 'm', 'a', 't'};
  private static final byte[] FORMAT = {1, 0, 0, 0};

  private final KeyValues store;

  private ChunkIndex(KeyValues store) {
    this.store = store;
  }

  /**
   * Takes over a store, of this format or empty.
   *
   * @throws LuciolaException FORMAT_TOO_NEW
   */
  public static ChunkIndex open(KeyValues store) throws IOException {
    Optional<byte[]> format = store.get(FORMAT_KEY);
    if (format.isEmpty()) {
      store.write(List.of(new KeyValues.Change(FORMAT_KEY, FORMAT)), true);
    } else if (!Arrays.equals(format.get(), FORMAT)) {
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "metadata has a format that this version does not know: format="
              + Arrays.toString(format.get()));
    }
    return new ChunkIndex(store);
  }

  private static byte[] key(byte letter, byte[] rest) {
    return ByteBuffer.allocate(1 + rest.length).put(letter).put(rest).array();
  }

  private static byte[] rest(byte[] key) {
    return Arrays.copyOfRange(key, 1, key.length);
  }

  /** After every key that begins with these bytes; not for a prefix of 0xff alone. */
  private static byte[] end(byte[] prefix) {
    byte[] end = prefix.clone();
    int at = end.length - 1;
    while (++end[at] == 0) {
      at--;
    }
    return Arrays.copyOf(end, at + 1);
  }

  /** What is stored of a chunk; {@link ChunkRecord#NONE} where nothing is. */
  public ChunkRecord chunk(ChunkKey chunk) {
    return store
        .get(key(CHUNK, chunk.toBytes()))
        .map(ChunkRecord::fromBytes)
        .orElse(ChunkRecord.NONE);
  }

  /** Stored chunks from one on, in order of their keys. */
  public List<Entry> chunks(ChunkKey from, int limit) {
    return store.scan(key(CHUNK, from.toBytes()), new byte[] {CHUNK + 1}, limit).stream()
        .map(pair ->
            new Entry(ChunkKey.fromBytes(rest(pair.key())), ChunkRecord.fromBytes(pair.value())))
        .toList();
  }

  /** The last update of a channel. */
  public Optional<DedupEntry> dedup(ChainId chain, ClientId client, int channel) {
    byte[] key = DedupEntry.key(chain, client, channel);
    return store.get(key(DEDUP, key)).map(value -> DedupEntry.fromBytes(key, value));
  }

  /** A chain's dedup records after one, in order of client (unsigned) and channel. */
  public List<DedupEntry> dedups(ChainId chain, Optional<UpdateTag> after, int limit) {
    byte[] prefix = key(DEDUP, ByteBuffer.allocate(4).putInt(chain.value()).array());
    byte[] start =
        after
            .map(tag -> key(DEDUP, DedupEntry.key(chain, tag.client(), tag.channel())))
            .map(key -> Arrays.copyOf(key, key.length + 1))
            .orElse(prefix);
    return store.scan(start, end(prefix), limit).stream()
        .map(pair -> DedupEntry.fromBytes(rest(pair.key()), pair.value()))
        .toList();
  }

  /** Writes as a whole; with {@code sync} this and everything before it is durable on return. */
  public void write(Batch batch, boolean sync) throws IOException {
    var changes = new ArrayList<KeyValues.Change>();
    for (Entry entry : batch.chunks()) {
      boolean forgotten = entry.record().newest().isEmpty();
      changes.add(
          new KeyValues.Change(
              key(CHUNK, entry.chunk().toBytes()), forgotten ? null : entry.record().toBytes()));
    }
    for (DedupEntry entry : batch.dedups()) {
      changes.add(new KeyValues.Change(key(DEDUP, entry.key()), entry.toBytes()));
    }
    for (DedupEntry entry : batch.expired()) {
      changes.add(new KeyValues.Change(key(DEDUP, entry.key()), null));
    }
    batch
        .small()
        .forEach((place, bytes) ->
            changes.add(new KeyValues.Change(key(SMALL, place.toBytes()), bytes)));
    store.write(changes, sync);
  }

  /** Some of the bytes that are kept here for their blocks. */
  public List<SmallBytes> smallBytes(int limit) {
    return store.scan(new byte[] {SMALL}, new byte[] {SMALL + 1}, limit).stream()
        .map(pair -> new SmallBytes(SmallBytes.Place.fromBytes(rest(pair.key())), pair.value()))
        .toList();
  }

  /** Forgets such bytes, not synced. */
  public void forgetSmallBytes(List<SmallBytes.Place> places) throws IOException {
    store.write(
        places.stream()
            .map(place -> new KeyValues.Change(key(SMALL, place.toBytes()), null))
            .toList(),
        false);
  }

  /** Makes everything written before durable. */
  public void sync() throws IOException {
    store.sync();
  }

  @Override
  public void close() {
    store.close();
  }

  /** A chunk and its record. */
  public record Entry(ChunkKey chunk, ChunkRecord record) {}

  /**
   * Changes to be written together.
   *
   * @param chunks new records; the last one of a chunk counts; an empty one is forgotten
   * @param dedups new dedup records; the last one of a channel counts
   * @param expired dedup records to forget
   * @param small bytes to keep for their blocks, in order; null: to forget. Taken over
   */
  public record Batch(
      List<Entry> chunks,
      List<DedupEntry> dedups,
      List<DedupEntry> expired,
      Map<SmallBytes.Place, byte @Nullable []> small) {
    /** Without bytes of blocks. */
    public Batch(List<Entry> chunks, List<DedupEntry> dedups, List<DedupEntry> expired) {
      this(chunks, dedups, expired, Map.of());
    }

    public Batch {
      chunks = List.copyOf(chunks);
      dedups = List.copyOf(dedups);
      expired = List.copyOf(expired);
    }
  }
}
