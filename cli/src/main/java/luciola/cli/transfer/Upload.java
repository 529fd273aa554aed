package luciola.cli.transfer;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import luciola.cli.terminal.Invocation;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;

/** Copies files and trees of this machine into a cluster. */
public final class Upload implements AutoCloseable {
  private final LuciolaFileSystem fs;
  private final TransferOptions options;
  private final Transfer transfer;

  public Upload(Invocation invocation, LuciolaFileSystem fs, TransferOptions options) {
    this.fs = fs;
    this.options = options;
    this.transfer = new Transfer(invocation, "put", options.parallel());
  }

  /** Copies a file, or a directory with everything in it, to this path. */
  public void add(Path source, String target) throws IOException, InterruptedException {
    if (!Files.isDirectory(source)) {
      submit(source, target, Files.readAttributes(source, BasicFileAttributes.class));
      return;
    }
    Files.walkFileTree(source, new Walk(source, target));
  }

  /** Waits for all of it and returns the exit code. */
  public int finish() throws InterruptedException {
    return transfer.finish();
  }

  @Override
  public void close() {
    transfer.close();
  }

  private final class Walk extends SimpleFileVisitor<Path> {
    private final Path from;
    private final String to;

    Walk(Path from, String to) {
      this.from = from;
      this.to = to;
    }

    private String target(Path path) {
      String relative = from.relativize(path).toString();
      return relative.isEmpty() ? to : (to.equals("/") ? "" : to) + "/" + relative;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
      fs.mkdirs(target(directory));
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      try {
        submit(file, target(file), attributes);
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", stop);
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) {
      transfer.failed(file.toString(), failure);
      return FileVisitResult.CONTINUE;
    }
  }

  private void submit(Path source, String target, BasicFileAttributes attributes)
      throws InterruptedException {
    if (attributes.isSymbolicLink()) {
      transfer.submit(source.toString(), 0, () -> link(source, target));
    } else if (attributes.isRegularFile()) {
      transfer.submit(source.toString(), attributes.size(), () -> copy(source, target, attributes));
    } else {
      transfer.failed(source.toString(), new IOException("neither file, directory nor link"));
    }
  }

  private boolean link(Path source, String target) throws IOException {
    Optional<FileStat> there = fs.find(target);
    if (there.isPresent()) {
      fs.remove(target);
    }
    fs.symlink(Files.readSymbolicLink(source).toString(), target);
    return true;
  }

  private boolean copy(Path source, String target, BasicFileAttributes attributes)
      throws IOException, InterruptedException {
    long modifiedNanos = attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
    if (options.resume && same(target, attributes.size(), modifiedNanos)) {
      transfer.progress().moved(attributes.size());
      return false;
    }
    try (ByteSource bytes = ByteSource.local(source)) {
      new RemoteTarget(fs, transfer, options.verify)
          .write(
              bytes,
              target,
              PermissionBits.mode(Files.getPosixFilePermissions(source)),
              modifiedNanos,
              attributes.size(),
              transfer.progress()::moved);
    }
    return true;
  }

  private boolean same(String target, long bytes, long modifiedNanos) {
    return fs.find(target)
        .filter(FileStat::isFile)
        .filter(there -> there.length() == bytes && there.modifiedNanos() == modifiedNanos)
        .isPresent();
  }
}
