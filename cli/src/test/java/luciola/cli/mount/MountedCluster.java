package luciola.cli.mount;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import luciola.cli.local.JavaCommand;
import luciola.cli.soak.fault.FleetOptions;
import luciola.cli.soak.fault.FleetStart;
import luciola.cli.soak.fault.ProcessFleet;
import luciola.cli.soak.fault.Watch;
import luciola.client.fuse.FuseSession;
import org.jspecify.annotations.Nullable;

/** A cluster of processes, and mounts of it by processes of their own. */
final class MountedCluster implements AutoCloseable {
  private static final Path DEVICE = Path.of("/dev/fuse");
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final Path folder;
  private final ProcessFleet fleet;
  private final Watch watch;

  MountedCluster(Path folder, int storageServers) throws IOException {
    this(folder, storageServers, options -> options);
  }

  MountedCluster(Path folder, int storageServers, UnaryOperator<FleetOptions> change)
      throws IOException {
    this.folder = folder;
    FleetOptions options =
        change.apply(
            FleetOptions.of(Files.createDirectories(folder.resolve("servers")), storageServers));
    this.fleet = ProcessFleet.prepare(options);
    try {
      this.watch = FleetStart.start(fleet, options.timings(), Math.min(3, storageServers));
    } catch (IOException | RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /** Why nothing can be mounted here; null if it can. */
  static @Nullable String missing() {
    if (!"root".equals(System.getProperty("user.name"))) {
      return "mounting needs root";
    }
    return Files.isWritable(DEVICE) ? null : "no " + DEVICE;
  }

  ProcessFleet fleet() {
    return fleet;
  }

  Watch watch() {
    return watch;
  }

  /** A mount and the process that serves it. */
  static final class Mounted implements AutoCloseable {
    private final Path directory;
    private final Path log;
    private final Process process;

    Mounted(Path folder, String name, List<String> metaAddresses, List<String> options)
        throws IOException {
      this.directory = folder.resolve(name);
      this.log = folder.resolve(name + ".log");
      if (!isMounted()) {
        Files.createDirectories(directory);
      }
      // A dead mount may lie there, and looks like a living one.
      long before = timesMounted();
      List<String> arguments =
          new ArrayList<>(
              List.of(
                  "mount",
                  directory.toString(),
                  "--foreground",
                  "--cluster=" + String.join(",", metaAddresses)));
      arguments.addAll(options);
      this.process =
          JavaCommand.child(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"), arguments, log);
      await("mounted " + directory, () -> timesMounted() > before);
    }

    Path directory() {
      return directory;
    }

    Process process() {
      return process;
    }

    boolean isMounted() {
      try {
        return MountPoint.isOurs(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private long timesMounted() {
      try {
        return Files.exists(log)
            ? Files.readAllLines(log).stream()
                .filter(line -> line.contains("mounted directory="))
                .count()
            : 0;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      process.destroy();
      try {
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor();
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
      if (isMounted()) {
        var _ = FuseSession.unmount(directory, true);
      }
    }
  }

  Mounted mount(String name, String... options) throws IOException {
    return new Mounted(folder, name, fleet.metaAddresses(), List.of(options));
  }

  /** Runs a shell script; its output, which is told if it fails. */
  static String sh(Path directory, String script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("/bin/sh", "-euc", script)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    if (status != 0) {
      throw new AssertionError("status=" + status + " of: " + script + "\n" + output);
    }
    return output;
  }

  static void await(String what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > DEADLINE_NANOS) {
        throw new AssertionError(
            "did not come true in " + Duration.ofNanos(DEADLINE_NANOS) + ": " + what);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
  }

  @Override
  public void close() throws IOException {
    fleet.close();
  }
}
