package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChunkVersion;

/**
 * A chunk whose committed version is a removal. Stored under key {@code 'T'} + {@link ChunkKey} (20
 * bytes) as two u64, little-endian: version and age.
 *
 * @param version the removal
 * @param sinceSeconds the target's age, see {@link TargetTotals}, when it was committed here
 */
public record Tombstone(ChunkKey chunk, ChunkVersion version, long sinceSeconds) {
  byte[] toBytes() {
    return ByteBuffer.allocate(2 * Long.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(version.value())
        .putLong(sinceSeconds)
        .array();
  }

  static Tombstone fromBytes(byte[] chunk, byte[] value) {
    try {
      ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
      return new Tombstone(ChunkKey.fromBytes(chunk), new ChunkVersion(in.getLong()), in.getLong());
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new LuciolaException(ErrorCode.CORRUPT_DATA, "bad tombstone: bytes=" + value.length, e);
    }
  }
}
