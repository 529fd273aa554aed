package luciola.meta.namespace.check;

import java.util.Arrays;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.meta.namespace.tree.Scans;

/**
 * Inodes with neighbouring numbers and what was found about them: 30 bytes each, and 8 for each
 * detached directory with a number between theirs.
 */
final class Window {
  static final int NONE = -1;

  private static final byte KEPT = 1;
  private static final byte NAMED_IN_PARENT = 2;

  private final long first;
  private final long[] ids;
  private final long[] parents;
  private final int[] links;
  private final int[] names;
  private final int[] subdirectories;
  private final byte[] types;
  private final byte[] marks;
  private int size;
  private boolean last = true;
  private long[] detached = new long[0];
  private int detachedSize;

  /**
   * Loads inodes.
   *
   * @param seen is shown each of them
   */
  Window(Scans scans, long first, int inodesMax, Scans.Visitor<Inode> seen) {
    this.first = first;
    this.ids = new long[inodesMax];
    this.parents = new long[inodesMax];
    this.links = new int[inodesMax];
    this.names = new int[inodesMax];
    this.subdirectories = new int[inodesMax];
    this.types = new byte[inodesMax];
    this.marks = new byte[inodesMax];
    scans.inodes(
        first,
        inode -> {
          if (size == inodesMax) {
            last = false;
            return false;
          }
          ids[size] = inode.getId();
          parents[size] = inode.getParent();
          links[size] = inode.getNlink();
          types[size] = (byte) inode.getTypeValue();
          size++;
          return seen.visit(inode);
        });
  }

  /** Whether there are no inodes after these. */
  boolean last() {
    return last;
  }

  /** First number of the next window. */
  long next() {
    return ids[size - 1] + 1;
  }

  int size() {
    return size;
  }

  /** Whether a number belongs here, whether there is such an inode or not. */
  boolean covers(long id) {
    return id >= first && (last || id < next());
  }

  /** Where an inode is, or {@link #NONE}. */
  int at(long id) {
    int at = Arrays.binarySearch(ids, 0, size, id);
    return at < 0 ? NONE : at;
  }

  /** A directory that is garbage; all are told before the first question. */
  void detached(long id) {
    if (detachedSize == detached.length) {
      detached = Arrays.copyOf(detached, Math.max(16, 2 * detachedSize));
    }
    detached[detachedSize] = id;
    detachedSize++;
  }

  void detachedAll() {
    Arrays.sort(detached, 0, detachedSize);
  }

  boolean isDetached(long id) {
    return Arrays.binarySearch(detached, 0, detachedSize, id) >= 0;
  }

  long id(int at) {
    return ids[at];
  }

  long parent(int at) {
    return parents[at];
  }

  int links(int at) {
    return links[at];
  }

  int names(int at) {
    return names[at];
  }

  void named(int at) {
    names[at]++;
  }

  int subdirectories(int at) {
    return subdirectories[at];
  }

  void subdirectory(int at) {
    subdirectories[at]++;
  }

  boolean isDirectory(int at) {
    return isOf(at, InodeType.INODE_TYPE_DIRECTORY);
  }

  boolean isOf(int at, InodeType type) {
    return types[at] == (byte) type.getNumber();
  }

  /** A session has it, or it waits for the collector. */
  void kept(int at) {
    marks[at] |= KEPT;
  }

  boolean isKept(int at) {
    return (marks[at] & KEPT) != 0;
  }

  void namedInParent(int at) {
    marks[at] |= NAMED_IN_PARENT;
  }

  boolean isNamedInParent(int at) {
    return (marks[at] & NAMED_IN_PARENT) != 0;
  }
}
