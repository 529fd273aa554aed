package luciola.cli.bench;

import java.io.IOException;

/** What one of several ways to the same files did in its turns. */
final class Tally {
  private final Latencies latencies = new Latencies();
  private long operations;
  private double seconds;
  private double client;
  private double servers;

  /**
   * Gives a load another turn.
   *
   * @param process the one beside this and the servers that works for the load, or 0; its processor
   *     time is the client's
   */
  void add(Load load, long nanos, long process, CpuMeter cpu) throws IOException {
    CpuMeter.Reading before = cpu.read();
    double processBefore = process == 0 ? 0 : CpuMeter.seconds(process);
    long unmeasured = load.unmeasuredNanos();
    long start = System.nanoTime();
    operations += load.run(start + nanos, latencies);
    seconds += (System.nanoTime() - start - (load.unmeasuredNanos() - unmeasured)) / 1e9;
    CpuMeter.Reading used = cpu.read().minus(before);
    client += used.client() + (process == 0 ? 0 : CpuMeter.seconds(process) - processBefore);
    servers += used.servers();
  }

  Latencies latencies() {
    return latencies;
  }

  double perSecond() {
    return operations / seconds;
  }

  /** Time measured. */
  double seconds() {
    return seconds;
  }

  /** Processor seconds of the client for each operation. */
  double clientSeconds() {
    return client / operations;
  }

  /** Processor seconds of the servers for each operation. */
  double serverSeconds() {
    return servers / operations;
  }
}
