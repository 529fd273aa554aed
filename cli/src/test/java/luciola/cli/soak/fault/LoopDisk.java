package luciola.cli.soak.fault;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A file system of its own on a loop device, which can be made to answer every operation with EIO
 * from one moment on: ext4's own order to shut down, which its tests use to play a lost device.
 * Needs root.
 */
final class LoopDisk implements AutoCloseable {
  /** EXT4_IOC_SHUTDOWN: what was written before is on the device. */
  private static final long SHUTDOWN = 0x8004587DL;

  private static final int DIRECTORY = 0x10000;
  private static final int COMMAND_SECONDS = 30;

  @SuppressWarnings("restricted")
  private static final MethodHandle OPEN =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("open"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

  @SuppressWarnings("restricted")
  private static final MethodHandle IOCTL =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("ioctl"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.ADDRESS),
              Linker.Option.firstVariadicArg(2));

  @SuppressWarnings("restricted")
  private static final MethodHandle CLOSE =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("close"),
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private final Path at;
  private String device = "";
  private boolean mounted;

  private LoopDisk(Path at) {
    this.at = at;
  }

  /** Why there can be none here; null if there can. */
  static @Nullable String missing(Path folder) throws InterruptedException {
    try (LoopDisk probe = make(folder.resolve("probe.img"), folder.resolve("probe"), 16 << 20)) {
      return probe.device.isEmpty() ? "no loop device" : null;
    } catch (IOException e) {
      return "no file system on a loop device here: " + e.getMessage();
    }
  }

  /** An empty file system of that size, mounted there. */
  static LoopDisk make(Path image, Path at, long bytes) throws IOException, InterruptedException {
    var disk = new LoopDisk(Files.createDirectories(at));
    try {
      try (var file = new RandomAccessFile(image.toFile(), "rw")) {
        file.setLength(bytes);
      }
      run("mkfs.ext4", "-q", "-F", image.toString());
      disk.device = run("losetup", "-f", "--show", image.toString());
      disk.mount();
      Files.deleteIfExists(at.resolve("lost+found"));
      return disk;
    } catch (IOException | InterruptedException e) {
      disk.close();
      throw e;
    }
  }

  private void mount() throws IOException, InterruptedException {
    run("mount", device, at.toString());
    mounted = true;
  }

  /** From now on everything fails with EIO. */
  void fail() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int descriptor = (int) OPEN.invokeExact(arena.allocateFrom(at.toString()), DIRECTORY);
      MemorySegment flags = arena.allocate(ValueLayout.JAVA_INT);
      int failed = (int) IOCTL.invokeExact(descriptor, SHUTDOWN, flags);
      int _ = (int) CLOSE.invokeExact(descriptor);
      if (descriptor < 0 || failed != 0) {
        throw new IOException("shutdown: at=" + at);
      }
    } catch (IOException e) {
      throw e;
    } catch (Throwable unexpected) {
      throw new IllegalStateException("shutdown: at=" + at, unexpected);
    }
  }

  /** Takes it from its place, unless somebody uses it. */
  boolean unmounted() {
    try {
      run("umount", at.toString());
      mounted = false;
    } catch (IOException busy) {
      return false;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return !mounted;
  }

  /** The device is well again, with what was on it, at its place. */
  void mountAgain() throws IOException, InterruptedException {
    mount();
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + said);
    }
    return said;
  }

  @Override
  public void close() throws IOException {
    try {
      if (mounted) {
        run("umount", "-l", at.toString());
        mounted = false;
      }
      if (!device.isEmpty()) {
        run("losetup", "-d", device);
        device = "";
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
