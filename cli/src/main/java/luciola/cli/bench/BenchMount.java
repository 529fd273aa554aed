package luciola.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.cli.local.JavaCommand;
import luciola.cli.terminal.CommandFailure;
import luciola.client.fuse.FuseSession;
import luciola.client.mount.Mounts;

/**
 * A mount of the cluster that is measured, served by a process of its own as {@code luciola mount}
 * starts it.
 */
final class BenchMount implements AutoCloseable {
  private static final Path DEVICE = Path.of("/dev/fuse");
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long END_SECONDS = 20;
  private static final long POLL_MILLIS = 20;

  private final Path directory;
  private final Process process;

  private BenchMount(Path directory, Process process) {
    this.directory = directory;
    this.process = process;
  }

  /**
   * That something can be mounted here.
   *
   * @throws CommandFailure with what is missing
   */
  static void check() {
    String missing =
        !"root".equals(System.getProperty("user.name"))
            ? "this needs root"
            : Files.isWritable(DEVICE) ? "" : "there is no " + DEVICE;
    if (!missing.isEmpty()) {
      throw CommandFailure.failed("bench mount: nothing can be mounted here, " + missing);
    }
  }

  /**
   * Mounts below a folder, and returns once it is there.
   *
   * @param options of the command {@code mount} besides
   */
  static BenchMount start(Path folder, List<String> metaServers, List<String> options)
      throws IOException, InterruptedException {
    Path directory = Files.createDirectory(folder.resolve("mnt"));
    Path log = folder.resolve("mount.log");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "mount",
                directory.toString(),
                "--foreground",
                "--cluster=" + String.join(",", metaServers)));
    arguments.addAll(options);
    Process process = JavaCommand.child(List.of("-Xmx512m"), arguments, log);
    var mount = new BenchMount(directory, process);
    long start = System.nanoTime();
    while (!mount.isThere()) {
      if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)
          || System.nanoTime() - start > START_NANOS) {
        mount.close();
        throw CommandFailure.failed("bench mount: not mounted:\n" + Files.readString(log));
      }
    }
    return mount;
  }

  private boolean isThere() throws IOException {
    return Mounts.on(directory).filter(each -> each.type().equals(Mounts.TYPE)).isPresent();
  }

  /** A path of the cluster as programs see it. */
  Path path(String ofCluster) {
    return directory.resolve(ofCluster.substring(1));
  }

  /** The process that serves it. */
  long pid() {
    return process.pid();
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    if (isThere()) {
      var _ = FuseSession.unmount(directory, true);
    }
  }
}
