package luciola.cli.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Processor seconds used by this process and by others of this machine.
 *
 * @param servers processes that are counted together; empty where they are not known or not here
 */
record CpuMeter(List<Long> servers) {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
  private static final int USER_TICKS = 11; // fields after the name's closing bracket
  private static final int SYSTEM_TICKS = 12;

  CpuMeter {
    servers = List.copyOf(servers);
  }

  /** Seconds so far, of this process and of the servers. */
  record Reading(double client, double servers) {
    Reading minus(Reading earlier) {
      return new Reading(client - earlier.client, servers - earlier.servers);
    }
  }

  Reading read() {
    double sum = 0;
    for (long server : servers) {
      sum += seconds(server);
    }
    return new Reading(own(), sum);
  }

  private static double own() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return system instanceof com.sun.management.OperatingSystemMXBean process
        ? process.getProcessCpuTime() / 1e9
        : 0;
  }

  private static double seconds(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", String.valueOf(pid), "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[USER_TICKS]) + Long.parseLong(fields[SYSTEM_TICKS]))
          / TICKS_PER_SECOND;
    } catch (IOException _) {
      return 0; // no such process, or not Linux: the figure says "-"
    }
  }
}
