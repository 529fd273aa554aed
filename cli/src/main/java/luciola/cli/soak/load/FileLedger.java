package luciola.cli.soak.load;

import luciola.protocol.id.InodeId;

/**
 * One life of one file, from its making to its removal. Blocks of {@code stride} bytes lie one
 * after the other, as many as fit in a chunk: none crosses a chunk's end, so each write of a block
 * is one update of one chunk and happens as a whole.
 */
final class FileLedger {
  private final String path;
  private final long run;
  private final long file;
  private final int chunkBytes;
  private final int stride;
  private final BlockRegister[] blocks;
  private volatile boolean live;
  private volatile long inode;
  private volatile long length;
  private volatile boolean lengthDoubtful;
  private volatile int used;

  FileLedger(String path, long run, long file, int chunkBytes, int stride, int blocksMax) {
    if (stride > chunkBytes || blocksMax < 1) {
      throw new IllegalArgumentException("stride=" + stride + " chunkBytes=" + chunkBytes);
    }
    this.path = path;
    this.run = run;
    this.file = file;
    this.chunkBytes = chunkBytes;
    this.stride = stride;
    this.blocks = new BlockRegister[blocksMax];
    for (int block = 0; block < blocksMax; block++) {
      blocks[block] = new BlockRegister();
    }
  }

  String path() {
    return path;
  }

  int chunkBytes() {
    return chunkBytes;
  }

  int stride() {
    return stride;
  }

  int blocksMax() {
    return blocks.length;
  }

  BlockRegister block(int index) {
    return blocks[index];
  }

  BlockPlace place(int index) {
    int perChunk = chunkBytes / stride;
    long offset = (long) (index / perChunk) * chunkBytes + (long) (index % perChunk) * stride;
    return new BlockPlace(run, file, offset, stride);
  }

  long end(int index) {
    return place(index).offset() + stride;
  }

  int chunkOf(int index) {
    return index / (chunkBytes / stride);
  }

  BlockAddress address(int index) {
    return new BlockAddress(
        inode, index, chunkOf(index), (int) (place(index).offset() % chunkBytes), stride);
  }

  /** The file exists under its name from before this call until {@link #removing}. */
  void made(InodeId id) {
    inode = id.value();
    live = true;
  }

  /** From here on nothing is promised of it. */
  void removing() {
    live = false;
  }

  boolean live() {
    return live;
  }

  /** Number of its inode; 0 until it is made. */
  long inode() {
    return inode;
  }

  /** Blocks that were written at some time are below this index. */
  int used() {
    return used;
  }

  void use(int index) {
    used = Math.max(used, index + 1);
  }

  /** Length as it was last acknowledged. */
  long length() {
    return length;
  }

  synchronized void raiseLength(long bytes) {
    length = Math.max(length, bytes);
  }

  synchronized void setLength(long bytes) {
    length = bytes;
  }

  /** A change of the length has an unknown outcome. */
  void doubtLength() {
    lengthDoubtful = true;
  }

  boolean lengthDoubtful() {
    return lengthDoubtful;
  }

  @Override
  public String toString() {
    return path
        + " inode="
        + inode
        + " file="
        + file
        + " chunkBytes="
        + chunkBytes
        + " stride="
        + stride;
  }
}
