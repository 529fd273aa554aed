package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkVersion;

/**
 * A chunk that has pending versions. Stored under key {@code 'P'} + {@link ChunkKey} (20 bytes) as
 * two u64, little-endian: batch and first version.
 *
 * @param batch the last batch that staged a version of it
 * @param from the first version that this batch staged
 */
public record PendingEntry(ChunkKey chunk, long batch, ChunkVersion from) {
  byte[] toBytes() {
    return ByteBuffer.allocate(2 * Long.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(batch)
        .putLong(from.value())
        .array();
  }

  static PendingEntry fromBytes(byte[] chunk, byte[] value) {
    try {
      ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
      return new PendingEntry(
          ChunkKey.fromBytes(chunk), in.getLong(), new ChunkVersion(in.getLong()));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad pending entry: bytes=" + value.length, e);
    }
  }
}
