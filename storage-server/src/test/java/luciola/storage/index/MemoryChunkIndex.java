package luciola.storage.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ClientId;

/** Metadata in memory that can lose power: then some of the last unsynced writes are gone. */
public final class MemoryChunkIndex implements ChunkIndex {
  private TreeMap<ChunkKey, byte[]> chunks = new TreeMap<>();
  private TreeMap<ByteBuffer, byte[]> dedups = new TreeMap<>();
  private final List<Batch> unsynced = new ArrayList<>();
  private TreeMap<ChunkKey, byte[]> durableChunks = new TreeMap<>();
  private TreeMap<ByteBuffer, byte[]> durableDedups = new TreeMap<>();
  private boolean off;

  /** Loses power: a prefix of the unsynced writes survives. */
  public synchronized void powerOff(Random random) {
    off = true;
    chunks = durableChunks;
    dedups = durableDedups;
    int kept = random.nextInt(unsynced.size() + 1);
    unsynced.subList(0, kept).forEach(this::apply);
    unsynced.clear();
    remember();
  }

  public synchronized void powerOn() {
    off = false;
  }

  private void remember() {
    durableChunks = new TreeMap<>(chunks);
    durableDedups = new TreeMap<>(dedups);
  }

  private void apply(Batch batch) {
    for (Entry each : batch.chunks()) {
      if (each.record().newest().isEmpty()) {
        chunks.remove(each.chunk());
      } else {
        chunks.put(each.chunk(), each.record().toBytes());
      }
    }
    batch.dedups().forEach(each -> dedups.put(key(each.key()), each.toBytes()));
    batch.expired().forEach(each -> dedups.remove(key(each.key())));
  }

  /** The order of byte buffers is signed: turn the first bit. */
  private static ByteBuffer key(byte[] plain) {
    byte[] bytes = plain.clone();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= (byte) 0x80;
    }
    return ByteBuffer.wrap(bytes);
  }

  @SuppressWarnings("ByteBufferBackingArray")
  private static DedupEntry entry(ByteBuffer key, byte[] value) {
    byte[] bytes = Arrays.copyOf(key.array(), key.capacity());
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= (byte) 0x80;
    }
    return DedupEntry.fromBytes(bytes, value);
  }

  @Override
  public synchronized ChunkRecord chunk(ChunkKey chunk) {
    byte[] value = chunks.get(chunk);
    return value == null ? ChunkRecord.NONE : ChunkRecord.fromBytes(value);
  }

  @Override
  public synchronized List<Entry> chunks(ChunkKey from, int limit) {
    return chunks.tailMap(from, true).entrySet().stream()
        .limit(limit)
        .map(each -> new Entry(each.getKey(), ChunkRecord.fromBytes(each.getValue())))
        .toList();
  }

  @Override
  public synchronized Optional<DedupEntry> dedup(ChainId chain, ClientId client, int channel) {
    ByteBuffer key = key(DedupEntry.key(chain, client, channel));
    return Optional.ofNullable(dedups.get(key)).map(value -> entry(key, value));
  }

  @Override
  public synchronized List<DedupEntry> dedups(ChainId chain, Optional<UpdateTag> after, int limit) {
    var rest =
        after.isPresent()
            ? dedups.tailMap(
                key(DedupEntry.key(chain, after.get().client(), after.get().channel())), false)
            : dedups;
    return rest.entrySet().stream()
        .map(each -> entry(each.getKey(), each.getValue()))
        .filter(each -> each.chain().equals(chain))
        .limit(limit)
        .toList();
  }

  @Override
  public synchronized void write(Batch batch, boolean sync) throws IOException {
    check();
    apply(batch);
    unsynced.add(batch);
    if (sync) {
      sync();
    }
  }

  @Override
  public synchronized void sync() throws IOException {
    check();
    unsynced.clear();
    remember();
  }

  private void check() throws IOException {
    if (off) {
      throw new IOException("power is off");
    }
  }

  @Override
  public void close() {}
}
