package luciola.cli.bench;

import java.util.Locale;

/**
 * One measured case beside what the machine itself reached in the same minute.
 *
 * @param operationsPerSecond ranges read or written
 * @param limit what {@code value} is held against, in its unit
 * @param limitName which limit that is
 * @param cpu seconds of this process and of the servers while it was measured
 * @param copies bytes of payloads that this process copied in user space, by those it received
 * @param serversKnown whether the servers' processes are on this machine and known
 */
record Figure(
    BenchCase of,
    double operationsPerSecond,
    long operations,
    double seconds,
    Latencies latencies,
    double limit,
    String limitName,
    CpuMeter.Reading cpu,
    double copies,
    boolean serversKnown,
    MachineLimits limits) {
  private static final double GIB = 1L << 30;

  /** Where the latency of one small write is what counts, not how much passes. */
  private boolean isLatency() {
    return limitName.startsWith("flush");
  }

  double bytesPerSecond() {
    return operationsPerSecond * of.bytes();
  }

  /** What is compared: bytes a second, or the median time in seconds. */
  double value() {
    return isLatency() ? latencies.seconds(0.5) : bytesPerSecond();
  }

  double ratio() {
    return limit == 0 ? 0 : value() / limit;
  }

  private double gib() {
    return operations * (double) of.bytes() / GIB;
  }

  double clientCpuPerGib() {
    return perGib(cpu.client());
  }

  double serverCpuPerGib() {
    return perGib(cpu.servers());
  }

  /** 0 where nothing was done in the time that counts. */
  private double perGib(double seconds) {
    return operations == 0 ? 0 : seconds / gib();
  }

  static String header() {
    return String.format(
        Locale.ROOT,
        "%-40s %10s %10s  %5s of %-46s %8s %8s  %6s  %9s %9s",
        "figure",
        "per second",
        "GB/s",
        "ratio",
        "limit",
        "client",
        "servers",
        "copies",
        "p50",
        "p99");
  }

  static String units() {
    return String.format(
        Locale.ROOT, "%-40s %10s %10s  %5s    %-46s %17s", "", "", "", "", "", "CPU s/GiB");
  }

  /** One line of the table. */
  String line() {
    return String.format(
        Locale.ROOT,
        "%-40s %10.0f %10.3f  %5.2f of %-46s %8.2f %8s  %6.3f  %9s %9s",
        of.label(),
        operationsPerSecond,
        bytesPerSecond() / 1e9,
        ratio(),
        limitName + " (" + human(limit) + ")" + bareChain(),
        clientCpuPerGib(),
        serversKnown ? String.format(Locale.ROOT, "%.2f", serverCpuPerGib()) : "-",
        copies,
        time(latencies.seconds(0.5)),
        time(latencies.seconds(0.99)));
  }

  /** Beside the time of one flush: what a write through a chain takes at least. */
  private String bareChain() {
    return isLatency() && of.replicas() > 1 ? ", bare chain " + time(limits.chainSeconds()) : "";
  }

  private String human(double value) {
    return isLatency() ? time(value) : String.format(Locale.ROOT, "%.3f GB/s", value / 1e9);
  }

  private static String time(double seconds) {
    return seconds < 0.01
        ? String.format(Locale.ROOT, "%.0f us", seconds * 1e6)
        : String.format(Locale.ROOT, "%.1f ms", seconds * 1e3);
  }

  /** One JSON object on one line; times in seconds, rates in bytes a second. */
  String json() {
    return String.format(
        Locale.ROOT,
        "{\"name\":\"%s\",\"work\":\"%s\",\"pattern\":\"%s\",\"bytes\":%d,\"depth\":%d,"
            + "\"batch\":%d,\"replicas\":%d,\"operations_per_s\":%.6g,\"bytes_per_s\":%.6g,"
            + "\"p50_s\":%.4g,\"p99_s\":%.4g,\"limit\":%.6g,\"limit_name\":\"%s\",\"ratio\":%.4g,"
            + "\"client_cpu_s_per_GiB\":%.4g,\"server_cpu_s_per_GiB\":%s,"
            + "\"copied_per_byte\":%.4g,"
            + "\"loopback_bytes_per_s\":%.6g,\"disk_write_bytes_per_s\":%.6g,"
            + "\"disk_flush_s\":%.4g,\"bare_chain_s\":%.4g,\"crc_bytes_per_s\":%.6g,\"seconds\":%.3f}",
        of.label(),
        of.work().label(),
        of.pattern().label(),
        of.bytes(),
        of.depth(),
        of.batch(),
        of.replicas(),
        operationsPerSecond,
        bytesPerSecond(),
        latencies.seconds(0.5),
        latencies.seconds(0.99),
        limit,
        limitName,
        ratio(),
        clientCpuPerGib(),
        serversKnown ? String.format(Locale.ROOT, "%.4g", serverCpuPerGib()) : "null",
        copies,
        limits.loopback(),
        limits.disk().writeBytesPerSecond(),
        limits.disk().flushSeconds(),
        limits.chainSeconds(),
        limits.crcBytesPerSecond(),
        seconds);
  }
}
