package luciola.storage.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
import luciola.storage.disk.BlockClass;
import luciola.storage.disk.FormatNumber;
import luciola.storage.disk.GroupImage;
import org.jspecify.annotations.Nullable;

/**
 * Stored metadata of one target. The first byte of a key says what it is:
 *
 * <pre>
 * C  a chunk             {@link ChunkRecord}
 * D  a client's channel  {@link DedupEntry}
 * G  + block class (1) + group (4, big-endian): the group's blocks that chunks lie in,
 *    256 bits as four u64, little-endian, the lowest block in the lowest bit of the first
 * M  "format": number of the format, u32, little-endian; "totals": {@link TargetTotals};
 *    "batch": of the journal, see {@link luciola.storage.journal.JournaledKeyValues}
 * N  a chain             {@link ChainTotals}
 * P  a chunk with pending versions  {@link PendingEntry}
 * T  a removed chunk     {@link Tombstone}
 * W  + {@link SmallBytes.Place}: bytes of a block that are not flushed there yet
 * </pre>
 *
 * <p>Safe for use by many threads; writes come from one, and are durable as {@link KeyValues} says.
 */
public final class ChunkIndex implements AutoCloseable {
  private static final byte CHUNK = 'C';
  private static final byte DEDUP = 'D';
  private static final byte SMALL = 'W';
  private static final byte GROUP = 'G';
  private static final byte CHAIN = 'N';
  private static final byte PENDING = 'P';
  private static final byte TOMBSTONE = 'T';
  private static final byte[] FORMAT_KEY = {'M', 'f', 'o', 'r', 'm', 'a', 't'};
  private static final byte[] TOTALS_KEY = {'M', 't', 'o', 't', 'a', 'l', 's'};

  private final KeyValues store;

  private ChunkIndex(KeyValues store) {
    this.store = store;
  }

  /**
   * Takes over a store, of this format, of one that this code reads, or empty. It is of this format
   * then.
   *
   * @throws LuciolaException FORMAT_TOO_NEW, UNSUPPORTED for one too old, CORRUPT_DATA
   */
  public static ChunkIndex open(KeyValues store) throws IOException {
    if (checkedFormat(store) != FormatNumber.CURRENT) {
      store.write(List.of(new KeyValues.Change(FORMAT_KEY, formatBytes())), true);
    }
    return new ChunkIndex(store);
  }

  /**
   * Takes over a store that is only looked at.
   *
   * @throws LuciolaException FORMAT_TOO_NEW, UNSUPPORTED for one too old, CORRUPT_DATA
   */
  public static ChunkIndex openToRead(KeyValues store) {
    checkedFormat(store);
    return new ChunkIndex(store);
  }

  /** Number of the format; 0 of an empty store. */
  private static int checkedFormat(KeyValues store) {
    Optional<byte[]> format = store.get(FORMAT_KEY);
    if (format.isEmpty()) {
      return 0;
    }
    if (format.get().length != Integer.BYTES) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA,
          "bad format number in metadata: bytes=" + Arrays.toString(format.get()));
    }
    int number = ByteBuffer.wrap(format.get()).order(ByteOrder.LITTLE_ENDIAN).getInt();
    FormatNumber.check("part=metadata", number);
    return number;
  }

  private static byte[] formatBytes() {
    return ByteBuffer.allocate(Integer.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(FormatNumber.CURRENT)
        .array();
  }

  private static byte[] key(byte letter, byte[] rest) {
    return ByteBuffer.allocate(1 + rest.length).put(letter).put(rest).array();
  }

  private static byte[] key(byte letter, ChainId chain) {
    return ByteBuffer.allocate(5).put(letter).putInt(chain.value()).array();
  }

  private static byte[] key(GroupImage group) {
    return ByteBuffer.allocate(6)
        .put(GROUP)
        .put((byte) group.blockClass().number())
        .putInt(group.group())
        .array();
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
    byte[] prefix = key(DEDUP, chain);
    byte[] start =
        after
            .map(tag -> key(DEDUP, DedupEntry.key(chain, tag.client(), tag.channel())))
            .map(key -> Arrays.copyOf(key, key.length + 1))
            .orElse(prefix);
    return store.scan(start, end(prefix), limit).stream()
        .map(pair -> DedupEntry.fromBytes(rest(pair.key()), pair.value()))
        .toList();
  }

  /** State of the target as of the last batch. */
  public TargetTotals totals() {
    return store.get(TOTALS_KEY).map(TargetTotals::fromBytes).orElse(TargetTotals.NONE);
  }

  /** Groups of a class of which some block is named, from one on. */
  public List<GroupImage> groups(BlockClass blockClass, int from, int limit) {
    byte[] prefix = {GROUP, (byte) blockClass.number()};
    byte[] start = ByteBuffer.allocate(6).put(prefix).putInt(from).array();
    return store.scan(start, end(prefix), limit).stream().map(ChunkIndex::group).toList();
  }

  private static GroupImage group(KeyValues.Pair pair) {
    ByteBuffer key = ByteBuffer.wrap(pair.key(), 1, pair.key().length - 1);
    ByteBuffer in = ByteBuffer.wrap(pair.value()).order(ByteOrder.LITTLE_ENDIAN);
    if (pair.key().length != 6 || pair.value().length != GroupImage.WORDS * Long.BYTES) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad group of blocks: key=" + Arrays.toString(pair.key()));
    }
    var blockClass = new BlockClass(key.get());
    var words = new long[GroupImage.WORDS];
    in.asLongBuffer().get(words);
    return new GroupImage(blockClass, key.getInt(), words);
  }

  private static byte[] toBytes(GroupImage group) {
    ByteBuffer out =
        ByteBuffer.allocate(GroupImage.WORDS * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.asLongBuffer().put(group.words());
    return out.array();
  }

  /** Chunks with pending versions from one on, in order of their keys. */
  public List<PendingEntry> pending(ChunkKey from, int limit) {
    return store.scan(key(PENDING, from.toBytes()), new byte[] {PENDING + 1}, limit).stream()
        .map(pair -> PendingEntry.fromBytes(rest(pair.key()), pair.value()))
        .toList();
  }

  /** Removed chunks of a chain from one on, in order of their keys. */
  public List<Tombstone> tombstones(ChunkKey from, int limit) {
    return store
        .scan(key(TOMBSTONE, from.toBytes()), end(key(TOMBSTONE, from.chain())), limit)
        .stream()
        .map(pair -> Tombstone.fromBytes(rest(pair.key()), pair.value()))
        .toList();
  }

  /** Totals of every chain. */
  public List<ChainTotals> chains() {
    return store.scan(new byte[] {CHAIN}, new byte[] {CHAIN + 1}, Integer.MAX_VALUE).stream()
        .map(pair -> ChainTotals.fromBytes(rest(pair.key()), pair.value()))
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
    add(batch.books(), changes);
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

  private static void add(Bookkeeping books, List<KeyValues.Change> changes) {
    for (GroupImage each : books.groups()) {
      changes.add(new KeyValues.Change(key(each), each.count() == 0 ? null : toBytes(each)));
    }
    for (PendingEntry each : books.pending()) {
      changes.add(new KeyValues.Change(key(PENDING, each.chunk().toBytes()), each.toBytes()));
    }
    for (ChunkKey each : books.settled()) {
      changes.add(new KeyValues.Change(key(PENDING, each.toBytes()), null));
    }
    for (Tombstone each : books.tombstones()) {
      changes.add(new KeyValues.Change(key(TOMBSTONE, each.chunk().toBytes()), each.toBytes()));
    }
    for (ChunkKey each : books.revived()) {
      changes.add(new KeyValues.Change(key(TOMBSTONE, each.toBytes()), null));
    }
    for (ChainTotals each : books.chains()) {
      changes.add(new KeyValues.Change(key(CHAIN, each.chain()), each.toBytes()));
    }
    for (ChainId each : books.gone()) {
      changes.add(new KeyValues.Change(key(CHAIN, each), null));
    }
    books
        .target()
        .ifPresent(target -> changes.add(new KeyValues.Change(TOTALS_KEY, target.toBytes())));
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
   * @param books what follows from the records
   */
  public record Batch(
      List<Entry> chunks,
      List<DedupEntry> dedups,
      List<DedupEntry> expired,
      Map<SmallBytes.Place, byte @Nullable []> small,
      Bookkeeping books) {
    public Batch {
      chunks = List.copyOf(chunks);
      dedups = List.copyOf(dedups);
      expired = List.copyOf(expired);
    }
  }
}
