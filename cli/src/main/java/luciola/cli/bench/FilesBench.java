package luciola.cli.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import luciola.cli.connection.Connector;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.terminal.ExitCode;
import luciola.cli.terminal.Invocation;
import luciola.cli.transfer.CopyOptions;
import luciola.cli.transfer.TreeCopy;
import luciola.client.LuciolaFileSystem;
import luciola.client.OpenOptions;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luciola bench files}: many small files, written, read, put and got. */
@Command(
    name = "files",
    description = {
      "One client writes new small files and reads them, so many at a time: opened, written or",
      "read as a whole, closed. Then trees of such files are copied as `put` and `get` do it."
    })
final class FilesBench implements Callable<Integer> {
  private static final List<String> WORK = List.of("write", "read", "put", "get");
  private static final int FILES_OF_A_DIRECTORY = 200;
  private static final List<Integer> USUAL_DEPTHS = List.of(1, 128);
  private static final int SIZE_MAX = 4 << 20;

  private final Invocation invocation;
  private final Connector connector;

  @Mixin private final MeasuredCluster cluster = new MeasuredCluster();

  @Mixin private final OperationOptions options = new OperationOptions();

  @Option(
      names = "--work",
      split = ",",
      paramLabel = "WORK",
      defaultValue = "write,read,put,get",
      description = "What is measured (${DEFAULT-VALUE}).")
  private List<String> work = List.of();

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      defaultValue = "4KiB",
      description = "Bytes of a file, at most 4MiB (${DEFAULT-VALUE}).")
  private String size = "";

  @Option(
      names = "--files",
      paramLabel = "N",
      defaultValue = "4000",
      description = "Files of a tree that is put and got (${DEFAULT-VALUE}).")
  private int files;

  @Option(
      names = "--replicas",
      paramLabel = "N",
      defaultValue = "3",
      description = "Copies of each chunk in its own cluster (${DEFAULT-VALUE}).")
  private int replicas;

  /** Files and trees made so far; each has its number in its name. */
  private final AtomicLong made = new AtomicLong();

  private final AtomicLong trees = new AtomicLong();

  FilesBench(Invocation invocation, Connector connector) {
    this.invocation = invocation;
    this.connector = connector;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    int bytes = CaseOptions.bytes(size);
    options.check();
    if (!WORK.containsAll(work) || bytes < 1 || bytes > SIZE_MAX || files < 1) {
      throw CommandFailure.wrongUse(
          "--work is some of " + String.join(",", WORK) + ", --size 1 to 4MiB, --files at least 1");
    }
    Path disk = options.directory(invocation);
    try (BenchCluster on = open(disk);
        BenchFolder local = new BenchFolder(disk)) {
      var meter = new OperationMeter(invocation, options, new CpuMeter(on.processes()));
      var run = new Run(on.files(), on.path("files"), local.path(), bytes, meter);
      for (String each : WORK) {
        if (work.contains(each)) {
          run.measure(each);
        }
      }
    }
    return ExitCode.DONE;
  }

  private BenchCluster open(Path disk) throws IOException, InterruptedException {
    return cluster.open(
        invocation,
        connector,
        () ->
            BenchCluster.start(
                disk, false, replicas, connector, line -> invocation.err().println(line)));
  }

  /** One cluster with files in it. */
  private final class Run {
    private final LuciolaFileSystem fs;
    private final String home;
    private final Path local;
    private final MemorySegment content;
    private final OperationMeter meter;
    private final Path source;

    Run(LuciolaFileSystem fs, String home, Path local, int bytes, OperationMeter meter) {
      this.fs = fs;
      this.home = home;
      this.local = local;
      this.content = Arena.ofAuto().allocate(bytes).fill((byte) 7);
      this.meter = meter;
      this.source = local.resolve("source");
      fs.mkdirs(home);
    }

    void measure(String what) throws IOException, InterruptedException {
      switch (what) {
        case "write" -> {
          for (int depth : options.depths(USUAL_DEPTHS)) {
            meter.measure("files.write.d" + depth, depth, _ -> write());
          }
        }
        case "read" -> {
          while (made.get() < FILES_OF_A_DIRECTORY) {
            var _ = write();
          }
          for (int depth : options.depths(USUAL_DEPTHS)) {
            meter.measure("files.read.d" + depth, depth, _ -> read());
          }
        }
        case "put" -> {
          makeSource();
          meter.measure("files.put", 1, _ -> put("put" + trees.incrementAndGet()));
        }
        default -> {
          makeSource();
          var _ = put("got");
          meter.measure("files.get", 1, _ -> get());
        }
      }
    }

    private String path(long number) {
      return home + "/d" + number / FILES_OF_A_DIRECTORY + "/f" + number;
    }

    private long write() {
      long number = made.getAndIncrement();
      if (number % FILES_OF_A_DIRECTORY == 0) {
        fs.mkdirs(home + "/d" + (number / FILES_OF_A_DIRECTORY + 1));
        if (number == 0) {
          fs.mkdirs(home + "/d0");
        }
      }
      try (WritableFile file = create(number)) {
        file.write(0, content);
      }
      return 1;
    }

    /** Its directory may still be under way, made by another thread. */
    private WritableFile create(long number) {
      try {
        return fs.openWrite(path(number), OpenOptions.CREATE_NEW);
      } catch (LuciolaException e) {
        if (e.code() != ErrorCode.NOT_FOUND) {
          throw e;
        }
        fs.mkdirs(home + "/d" + number / FILES_OF_A_DIRECTORY);
        return fs.openWrite(path(number), OpenOptions.CREATE_NEW);
      }
    }

    private final AtomicLong next = new AtomicLong();

    private long read() {
      // Those that were made last may still be under way.
      long known = Math.max(1, made.get() - 1024);
      try (Arena arena = Arena.ofShared();
          ReadableFile file = fs.openRead(path(next.getAndIncrement() % known))) {
        MemorySegment into = arena.allocate(content.byteSize());
        long got = file.read(0, into).join();
        if (got != content.byteSize() || into.mismatch(content) >= 0) {
          throw new IllegalStateException("read something else: path=" + file.path());
        }
      }
      return 1;
    }

    private void makeSource() throws IOException {
      if (Files.exists(source)) {
        return;
      }
      for (int i = 0; i < files; i++) {
        Path parent = source.resolve("d" + i / FILES_OF_A_DIRECTORY);
        if (i % FILES_OF_A_DIRECTORY == 0) {
          Files.createDirectories(parent);
        }
        Files.write(parent.resolve("f" + i), content.toArray(ValueLayout.JAVA_BYTE));
      }
    }

    private long put(String name) throws IOException, InterruptedException {
      try (TreeCopy copy = TreeCopy.into(fs, silent(), "put", new CopyOptions())) {
        return copied(copy, source.toString(), home + "/" + name);
      }
    }

    private long get() throws IOException, InterruptedException {
      try (TreeCopy copy = TreeCopy.outOf(fs, silent(), "get", new CopyOptions())) {
        return copied(
            copy, home + "/got", local.resolve("get" + trees.incrementAndGet()).toString());
      }
    }

    private long copied(TreeCopy copy, String from, String to)
        throws IOException, InterruptedException {
      copy.add(from, to);
      if (copy.finish() != ExitCode.DONE) {
        throw CommandFailure.failed("bench files: not everything was copied: " + from);
      }
      return files;
    }

    private Invocation silent() {
      var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
      return new Invocation(nowhere, nowhere, invocation.environment(), local, false);
    }
  }
}
