package luciola.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import luciola.protocol.frame.Granules;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** CRC32C of a range, granule by granule, as clients and servers do it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ChecksumBenchmark {
  /** Length of the range. */
  @Param({"4096", "16384", "65536", "1048576", "4194304"})
  public int bytes;

  private MemorySegment data = MemorySegment.NULL;
  private int[] sums = {};

  /** Makes a range that is right. */
  @Setup
  public void setUp() {
    data = Arena.ofAuto().allocate(bytes, 4096);
    data.fill((byte) 7);
    sums = Granules.checksums(0, data);
  }

  /** What a writer does. */
  @Benchmark
  public int[] checksums() {
    return Granules.checksums(0, data);
  }

  /** What a reader does. */
  @Benchmark
  public int verify() {
    return Granules.firstMismatch(0, data, sums);
  }
}
