package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.frame.DedupRecord;
import luciola.protocol.frame.UpdateTag;
import luciola.protocol.id.ChainId;
import luciola.protocol.id.ChunkId;
import luciola.protocol.id.ChunkVersion;
import luciola.protocol.id.ClientId;

/**
 * The last update of one channel of one client in one chain. Stored under key {@code 'D'} + chain
 * (4 bytes, big-endian) + client (8 bytes, big-endian) + channel (4 bytes, big-endian) as,
 * little-endian:
 *
 * <pre>
 *  0  u8   format, 1
 *  1  u8×3 zero
 *  4  u32  length of the chunk after the update
 *  8  u64  sequence
 * 16  u64  version that the update made
 * 24  u64  the target's age when it was written, in seconds: for expiry only
 * 32  16   chunk id
 * </pre>
 */
public record DedupEntry(ChainId chain, DedupRecord dedup, long writtenSeconds) {
  private static final int FORMAT = 1;
  private static final int VALUE_BYTES = 48;

  /** Byte form of the key without its first letter. */
  static byte[] key(ChainId chain, ClientId client, int channel) {
    return ByteBuffer.allocate(16)
        .putInt(chain.value())
        .putLong(client.value())
        .putInt(channel)
        .array();
  }

  /** Byte form of this entry's key without its first letter. */
  byte[] key() {
    return key(chain, dedup.tag().client(), dedup.tag().channel());
  }

  /** The stored form. */
  public byte[] toBytes() {
    return ByteBuffer.allocate(VALUE_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(FORMAT)
        .putInt(dedup.chunkBytes())
        .putLong(dedup.tag().sequence())
        .putLong(dedup.version().value())
        .putLong(writtenSeconds)
        .put(dedup.chunk().toBytes())
        .array();
  }

  /**
   * Reads the stored form.
   *
   * @param key as made by {@link #key}
   * @throws LuciolaException FORMAT_TOO_NEW or CORRUPT_DATA
   */
  public static DedupEntry fromBytes(byte[] key, byte[] value) {
    ByteBuffer keyIn = ByteBuffer.wrap(key);
    ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    try {
      int format = in.getInt();
      if (format != FORMAT) {
        throw new LuciolaException(
            ErrorCode.FORMAT_TOO_NEW, "unknown dedup record: format=" + format);
      }
      int chunkBytes = in.getInt();
      long sequence = in.getLong();
      var version = new ChunkVersion(in.getLong());
      long writtenSeconds = in.getLong();
      ChunkId chunk = ChunkId.fromBytes(Arrays.copyOfRange(value, in.position(), value.length));
      var chain = new ChainId(keyIn.getInt());
      var tag = new UpdateTag(new ClientId(keyIn.getLong()), keyIn.getInt(), sequence);
      return new DedupEntry(
          chain, new DedupRecord(tag, chunk, version, chunkBytes), writtenSeconds);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad dedup record: bytes=" + value.length, e);
    }
  }
}
