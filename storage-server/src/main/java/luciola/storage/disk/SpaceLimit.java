package luciola.storage.disk;

import java.io.IOException;

/**
 * How much a target may take: its own limit, and what the disk has left less a reserve that keeps
 * the metadata writable. Safe for use by many threads.
 */
final class SpaceLimit {
  private final DiskSpace disk;
  private final long capacityBytes;
  private final long reserveBytes;
  private long takenBytes;

  SpaceLimit(DiskSpace disk, long capacityBytes, long reserveBytes) {
    this.disk = disk;
    this.capacityBytes = capacityBytes;
    this.reserveBytes = reserveBytes;
  }

  /** Counts space that is taken already. */
  synchronized void count(long bytes) {
    takenBytes += bytes;
  }

  /** Counts space about to be taken, or refuses. */
  void take(long bytes) throws IOException {
    long usable = disk.usableBytes();
    synchronized (this) {
      if (takenBytes + bytes > capacityBytes || usable - bytes < reserveBytes) {
        throw new NoSpaceException(
            "target full: takenBytes="
                + takenBytes
                + " capacityBytes="
                + capacityBytes
                + " diskUsableBytes="
                + usable);
      }
      takenBytes += bytes;
    }
  }

  /** What may still be taken. */
  long leftBytes() throws IOException {
    long usable = disk.usableBytes();
    return Math.max(0, Math.min(capacityBytes - takenBytes(), usable - reserveBytes));
  }

  synchronized void giveBack(long bytes) {
    takenBytes -= bytes;
  }

  synchronized long takenBytes() {
    return takenBytes;
  }

  /** The limit, or what the disk can hold of it. */
  long capacityBytes() throws IOException {
    long usable = disk.usableBytes();
    return Math.min(capacityBytes, takenBytes() + Math.max(0, usable - reserveBytes));
  }
}
