package luciola.cli.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Processor seconds used by this process and by others of this machine.
 *
 * @param servers processes that are counted together; empty where they are not known or not here
 */
record CpuMeter(List<Long> servers) {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
  private static final Pattern COMPILER = Pattern.compile("^C[12] Compiler");
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

  /** Seconds that the compilers in this process and in the servers have used so far. */
  double compilers() {
    double sum = compilers(ProcessHandle.current().pid());
    for (long server : servers) {
      sum += compilers(server);
    }
    return sum;
  }

  private static double compilers(long pid) {
    double sum = 0;
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc", String.valueOf(pid), "task"))) {
      for (Path thread : threads) {
        if (COMPILER.matcher(name(thread)).find()) {
          sum += seconds(thread);
        }
      }
    } catch (IOException | DirectoryIteratorException _) {
      return sum; // ended meanwhile
    }
    return sum;
  }

  private static String name(Path thread) throws IOException {
    return Files.readString(thread.resolve("comm"));
  }

  /** Seconds of a process so far. */
  static double seconds(long pid) {
    return seconds(Path.of("/proc", String.valueOf(pid)));
  }

  private static double seconds(Path task) {
    try {
      String stat = Files.readString(task.resolve("stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[USER_TICKS]) + Long.parseLong(fields[SYSTEM_TICKS]))
          / TICKS_PER_SECOND;
    } catch (IOException _) {
      return 0; // no such process, or not Linux: the figure says "-"
    }
  }
}
