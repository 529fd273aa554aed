package luciola.cli.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import luciola.protocol.frame.Granules;

/**
 * What the machine does by itself, measured right before each figure that is held against it.
 *
 * @param loopback bytes a second of one TCP stream over loopback
 * @param disk sequential direct writes with one flush at the end, and the time of a small one
 * @param chainSeconds median time of a durable write of 4 KiB through a bare chain of three members
 * @param crcBytesPerSecond CRC32C of one thread over memory that its caches do not hold
 */
record MachineLimits(
    double loopback, DiskLimit disk, double chainSeconds, double crcBytesPerSecond) {
  private static final long LOOPBACK_NANOS = 400_000_000L;
  private static final long DISK_BYTES = 256L << 20;
  private static final int CHAIN_MEMBERS = 3;
  private static final int CRC_BYTES = 64 << 20;
  private static final int CRC_ROUNDS = 4;

  /** Measures in about a second; the disk in {@code directory}. */
  static MachineLimits measure(Path directory) throws IOException {
    return new MachineLimits(
        LoopbackLimit.measure(LOOPBACK_NANOS).bytesPerSecond(),
        DiskLimit.measure(directory, DISK_BYTES),
        ChainLimit.measure(directory, CHAIN_MEMBERS).seconds(),
        crc());
  }

  private static double crc() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(CRC_BYTES, 4096);
      bytes.fill((byte) 3);
      int sums = 0;
      long start = System.nanoTime();
      for (int round = 0; round < CRC_ROUNDS; round++) {
        for (int sum : Granules.checksums(0, bytes)) {
          sums ^= sum;
        }
      }
      long nanos = System.nanoTime() - start;
      return sums == 1 ? 0 : (double) CRC_BYTES * CRC_ROUNDS / nanos * 1e9;
    }
  }
}
