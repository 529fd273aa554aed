package luciola.client.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A page of a directory's entries, filled entry by entry until it has no more room. */
public final class FuseDirectoryPage {
  private static final int NAME_ALIGNMENT = 8;

  private final boolean plus;
  private final MemorySegment bytes;
  private long filled;

  /**
   * An empty page.
   *
   * @param room in bytes, as the kernel asked
   * @param plus whether entries carry attributes
   */
  public FuseDirectoryPage(int room, boolean plus) {
    this.plus = plus;
    this.bytes = Arena.ofAuto().allocate(room, Long.BYTES);
  }

  /**
   * Adds an entry, without attributes even where entries have them: the kernel asks if it wants to
   * know. For {@code .} and {@code ..}.
   *
   * @param inode number that programs see
   * @param cookie of this entry: where the next page goes on after it
   * @param type the upper four bits of the mode, shifted down: DT_DIR is 4
   * @return false if there is no room
   */
  public boolean add(long inode, long cookie, int type, FuseName name) {
    return add(null, inode, cookie, type, name);
  }

  /**
   * Adds an entry with its attributes.
   *
   * @return false if there is no room; the node was not looked up then
   */
  public boolean add(FuseEntry entry, long cookie, FuseName name) {
    return add(
        entry, entry.attributes().inode(), cookie, entry.attributes().mode() >>> 12 & 0xF, name);
  }

  private boolean add(
      @org.jspecify.annotations.Nullable FuseEntry entry,
      long inode,
      long cookie,
      int type,
      FuseName name) {
    int head = plus ? FuseNumbers.ENTRY_OUT_BYTES : 0;
    int nameBytes = name.bytes().length;
    long size = head + padded(FuseNumbers.ENTRY_BYTES + nameBytes);
    if (filled + size > bytes.byteSize()) {
      return false;
    }
    if (plus && entry != null) {
      FuseCodec.write(bytes.asSlice(filled, head), entry);
    }
    long at = filled + head;
    bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, at, inode);
    bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, at + 8, cookie);
    bytes.set(ValueLayout.JAVA_INT_UNALIGNED, at + 16, nameBytes);
    bytes.set(ValueLayout.JAVA_INT_UNALIGNED, at + 20, type);
    MemorySegment.copy(
        name.bytes(), 0, bytes, ValueLayout.JAVA_BYTE, at + FuseNumbers.ENTRY_BYTES, nameBytes);
    filled += size;
    return true;
  }

  private static long padded(long length) {
    return (length + NAME_ALIGNMENT - 1) / NAME_ALIGNMENT * NAME_ALIGNMENT;
  }

  /** What to answer; an empty page says that the directory ends. */
  public FuseReply toReply() {
    return FuseReply.Data.of(bytes.asSlice(0, filled));
  }
}
