package luciola.storage.index;

import java.nio.ByteBuffer;
import luciola.storage.disk.BlockClass;

/**
 * Bytes of a block that are kept in the metadata until the block's file is flushed.
 *
 * @param bytes whole pages; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent")
public record SmallBytes(Place place, byte[] bytes) {

  /**
   * Where they belong. Key: class (u8), position (u64, big-endian).
   *
   * @param position in the class's file
   */
  public record Place(BlockClass blockClass, long position) implements Comparable<Place> {
    private static final int BYTES = 9;

    public Place {
      if (position < 0) {
        throw new IllegalArgumentException("bad place: position=" + position);
      }
    }

    @Override
    public int compareTo(Place other) {
      int byClass = Integer.compare(blockClass.number(), other.blockClass.number());
      return byClass != 0 ? byClass : Long.compare(position, other.position);
    }

    byte[] toBytes() {
      return ByteBuffer.allocate(BYTES).put((byte) blockClass.number()).putLong(position).array();
    }

    static Place fromBytes(byte[] bytes) {
      if (bytes.length != BYTES) {
        throw new IllegalArgumentException("a place has 9 bytes: length=" + bytes.length);
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      return new Place(new BlockClass(buffer.get()), buffer.getLong());
    }
  }
}
