package luciola.storage.index;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.ChainId;

/**
 * What a target holds of one chain. Stored under key {@code 'N'} + chain (4 bytes, big-endian) as
 * five u64, little-endian, in this order.
 *
 * @param records chunk records, tombstones included
 * @param chunks chunks that exist once everything pending is done
 * @param bytes length of these together
 * @param tombstones chunks whose committed version is a removal
 * @param versionFloor no version up to this is given to a chunk that is not known
 */
public record ChainTotals(
    ChainId chain, long records, long chunks, long bytes, long tombstones, long versionFloor) {
  private static final int VALUE_BYTES = 40;

  /** Nothing is held. */
  public static ChainTotals none(ChainId chain) {
    return new ChainTotals(chain, 0, 0, 0, 0, 0);
  }

  /** After a change of one chunk. */
  public ChainTotals changed(ChunkRecord before, ChunkRecord after) {
    return new ChainTotals(
        chain,
        records + one(after.newest().isPresent()) - one(before.newest().isPresent()),
        chunks + one(after.exists()) - one(before.exists()),
        bytes + newestBytes(after) - newestBytes(before),
        tombstones + one(isTombstone(after)) - one(isTombstone(before)),
        versionFloor);
  }

  /** With a floor of at least so much. */
  public ChainTotals raised(long floor) {
    return new ChainTotals(
        chain, records, chunks, bytes, tombstones, Math.max(versionFloor, floor));
  }

  private static int one(boolean counts) {
    return counts ? 1 : 0;
  }

  private static long newestBytes(ChunkRecord record) {
    return record.newest().map(VersionRecord::chunkBytes).orElse(0);
  }

  /** Whether the committed version of a chunk is a removal. */
  public static boolean isTombstone(ChunkRecord record) {
    VersionRecord committed = record.committed();
    return committed != null && committed.removed();
  }

  byte[] toBytes() {
    return ByteBuffer.allocate(VALUE_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(records)
        .putLong(chunks)
        .putLong(bytes)
        .putLong(tombstones)
        .putLong(versionFloor)
        .array();
  }

  static ChainTotals fromBytes(byte[] chain, byte[] value) {
    try {
      ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
      return new ChainTotals(
          new ChainId(ByteBuffer.wrap(chain).getInt()),
          in.getLong(),
          in.getLong(),
          in.getLong(),
          in.getLong(),
          in.getLong());
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "bad totals of a chain: bytes=" + value.length, e);
    }
  }
}
