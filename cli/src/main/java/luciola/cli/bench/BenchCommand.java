package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import luciola.cli.connection.ClusterOption;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.client.LuciolaFileSystem;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "bench",
    description = {
      "Measures one client's sequential write (durable on every replica) and read, beside what one"
          + " loopback stream and the disk do by themselves in the same run.",
      "Needs a running cluster; writes one file below /.bench and removes it."
    })
public final class BenchCommand implements Callable<Integer> {
  private static final long LOOPBACK_NANOS = 2_000_000_000L;
  private static final long DISK_BYTES = 512L << 20;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final ClusterOption cluster = new ClusterOption();

  @Option(
      names = "--mib",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Size of the file in MiB (${DEFAULT-VALUE}).")
  private int mib;

  @Option(
      names = "--request-kib",
      paramLabel = "N",
      defaultValue = "4096",
      description = "Size of one read or write in KiB, a power of two (${DEFAULT-VALUE}).")
  private int requestKib;

  @Option(
      names = "--in-flight",
      paramLabel = "N",
      defaultValue = "4",
      description = "Reads at a time (${DEFAULT-VALUE}).")
  private int inFlight;

  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "3",
      description = "Replicas that share this machine's disk, for the limit (${DEFAULT-VALUE}).")
  private int replicas;

  @Option(
      names = "--disk-dir",
      paramLabel = "DIR",
      description = "Where the disk is measured; by default the current folder.")
  private Path diskDirectory = Path.of("");

  @Option(names = "--json", description = "One JSON object a line.")
  private boolean json;

  public BenchCommand(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws IOException {
    int requestBytes = requestKib << 10;
    long fileBytes = (long) mib << 20;
    if (mib < 1
        || inFlight < 1
        || replicas < 1
        || requestKib < 4
        || requestKib > 1 << 16
        || Integer.bitCount(requestKib) != 1
        || fileBytes % requestBytes != 0) {
      throw CommandFailure.wrongUse(
          "--mib, --in-flight and --replicas are positive; --request-kib is a power of two from 4"
              + " to 65536 and divides the file");
    }
    Path disk = invocation.resolve(diskDirectory);
    if (!Files.isDirectory(disk)) {
      throw CommandFailure.wrongUse("--disk-dir is no directory: " + disk);
    }
    try (LuciolaFileSystem files = connector.connect(cluster.metaServers(invocation))) {
      double loopback = LoopbackLimit.measure(LOOPBACK_NANOS).bytesPerSecond();
      DiskLimit alone = DiskLimit.measure(disk, DISK_BYTES);
      print(new BenchResult("limit.loopback.stream", loopback, "B/s", 0, "", 0));
      print(new BenchResult("limit.disk.write", alone.writeBytesPerSecond(), "B/s", 0, "", 0));
      print(new BenchResult("limit.disk.flush.4KiB", alone.flushSeconds(), "s", 0, "", 0));
      files.mkdirs("/.bench");
      String path = "/.bench/" + Long.toHexString(ThreadLocalRandom.current().nextLong());
      var stream = new StreamBench(files, path, fileBytes, requestBytes, inFlight);
      try {
        double writeLimit = Math.min(loopback, alone.writeBytesPerSecond()) / replicas;
        print(stream.write(writeLimit, "min(loopback, disk) / replicas"));
        print(stream.read("read.seq.first", loopback, "loopback.stream"));
        print(stream.read("read.seq.cached", loopback, "loopback.stream"));
      } finally {
        stream.clean();
      }
    }
    return ExitCode.DONE;
  }

  private void print(BenchResult result) {
    invocation.out().println(json ? result.json() : result.line());
    invocation.out().flush();
  }
}
