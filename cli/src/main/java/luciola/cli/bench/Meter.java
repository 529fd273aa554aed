package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import luciola.cli.bench.BenchCase.Work;
import luciola.protocol.connection.CopyCounter;

/**
 * Takes one figure: the machine's limits first, then the load until it is steady, then the load for
 * the time that counts.
 *
 * <p>Steady means that a slice brought no more than 5 % above the best before it, while page caches
 * fill and memory is touched for the first time; and that the compilers of all processes used less
 * than a tenth of a processor meanwhile.
 */
final class Meter {
  private static final long SLICE_NANOS = 1_000_000_000L;
  private static final double STEADY = 1.05;
  private static final double COMPILERS_MAX = 0.1;
  private static final int STEADY_SLICES = 2;

  private final Path diskDirectory;
  private final CpuMeter cpu;
  private final long nanos;
  private final int warmSlicesMax;

  /**
   * @param diskDirectory on the disk that is measured
   * @param seconds that count
   * @param warmSecondsMax at most so many seconds before
   */
  Meter(Path diskDirectory, CpuMeter cpu, double seconds, int warmSecondsMax) {
    this.diskDirectory = diskDirectory;
    this.cpu = cpu;
    this.nanos = (long) (seconds * 1e9);
    this.warmSlicesMax = warmSecondsMax;
  }

  Figure measure(BenchCase of, Load load) throws IOException {
    warmUp(load);
    MachineLimits limits = MachineLimits.measure(diskDirectory);
    var latencies = new Latencies();
    CpuMeter.Reading before = cpu.read();
    long copied = CopyCounter.copiedBytes();
    long delivered = CopyCounter.deliveredBytes();
    long start = System.nanoTime();
    long operations = load.run(start + nanos, latencies);
    double seconds = (System.nanoTime() - start) / 1e9;
    double copies =
        (double) (CopyCounter.copiedBytes() - copied)
            / Math.max(1, CopyCounter.deliveredBytes() - delivered);
    return new Figure(
        of,
        operations / seconds,
        operations,
        seconds,
        latencies,
        limit(of, limits),
        limitName(of),
        cpu.read().minus(before),
        copies,
        !cpu.servers().isEmpty(),
        limits);
  }

  /** Runs a load until it is steady. */
  void warmUp(Load load) throws IOException {
    double best = 0;
    int steady = 0;
    for (int slice = 0; slice < warmSlicesMax && steady < STEADY_SLICES; slice++) {
      double compiled = cpu.compilers();
      long start = System.nanoTime();
      long done = load.run(start + Math.min(SLICE_NANOS, nanos), new Latencies());
      double spent = System.nanoTime() - start;
      double rate = done / spent;
      boolean compiles = (cpu.compilers() - compiled) * 1e9 / spent > COMPILERS_MAX;
      steady = compiles || rate > best * STEADY ? 0 : steady + 1;
      best = Math.max(best, rate);
    }
  }

  private static boolean isLatency(BenchCase of) {
    return of.work().writes() && of.depth() == 1 && of.bytes() <= 64 << 10;
  }

  private static double limit(BenchCase of, MachineLimits limits) {
    if (isLatency(of)) {
      return limits.disk().flushSeconds();
    }
    return switch (of.work()) {
      case READ -> limits.loopback();
      case STORAGE_READ -> limits.crcBytesPerSecond();
      case WRITE ->
          Math.min(limits.loopback(), limits.disk().writeBytesPerSecond()) / of.replicas();
      case STORAGE_WRITE -> limits.disk().writeBytesPerSecond();
    };
  }

  private static String limitName(BenchCase of) {
    if (isLatency(of)) {
      return "flush of 4 KiB";
    }
    if (of.work() == Work.WRITE) {
      return "min(loopback, disk) / " + of.replicas();
    }
    return switch (of.work()) {
      case READ -> "loopback stream";
      case STORAGE_READ -> "CRC32C";
      default -> "disk write";
    };
  }
}
