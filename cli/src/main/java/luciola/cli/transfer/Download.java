package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import luciola.cli.terminal.Invocation;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Copies files and trees of a cluster to this machine. */
public final class Download implements AutoCloseable {
  private final LuciolaFileSystem fs;
  private final TransferOptions options;
  private final Transfer transfer;

  public Download(Invocation invocation, LuciolaFileSystem fs, TransferOptions options) {
    this.fs = fs;
    this.options = options;
    this.transfer = new Transfer(invocation, "get", options.parallel());
  }

  /** Copies what the path names, with everything in it, to this place. */
  public void add(String source, Path target) throws IOException, InterruptedException {
    FileStat stat = fs.stat(source);
    if (stat.isDirectory()) {
      directory(source, target);
    } else {
      file(source, target, stat);
    }
  }

  /** Waits for all of it and returns the exit code. */
  public int finish() throws InterruptedException {
    return transfer.finish();
  }

  @Override
  public void close() {
    transfer.close();
  }

  private void directory(String source, Path target) throws IOException, InterruptedException {
    Files.createDirectories(target);
    for (DirectoryEntry entry : fs.list(source)) {
      String from = (source.equals("/") ? "" : source) + "/" + entry.name();
      Path to = target.resolve(entry.name());
      try {
        switch (entry.stat().type()) {
          case DIRECTORY -> directory(from, to);
          case FILE -> file(from, to, entry.stat());
          case SYMLINK -> transfer.submit(from, 0, () -> link(from, to));
        }
      } catch (IOException | LuciolaException failure) {
        transfer.failed(from, failure);
      }
    }
  }

  private void file(String source, Path target, FileStat stat) throws InterruptedException {
    transfer.submit(source, stat.length(), () -> copy(source, target, stat));
  }

  private boolean link(String source, Path target) throws IOException {
    Files.deleteIfExists(target);
    Files.createSymbolicLink(target, Path.of(fs.readLink(source)));
    return true;
  }

  private boolean copy(String source, Path target, FileStat stat)
      throws IOException, InterruptedException {
    if (options.resume && same(target, stat)) {
      transfer.progress().moved(stat.length());
      return false;
    }
    Path temporary =
        target.resolveSibling(
            ".luciola-" + Long.toHexString(ThreadLocalRandom.current().nextLong()));
    transfer.unfinished().begin(temporary.toString(), () -> Files.deleteIfExists(temporary));
    try {
      FileCopy.Copied copied = fill(source, temporary, stat.length());
      if (options.verify) {
        check(temporary, target, copied);
      }
      Files.setPosixFilePermissions(temporary, PermissionBits.permissions(stat.mode()));
      Files.setLastModifiedTime(
          temporary, FileTime.from(stat.modifiedNanos(), TimeUnit.NANOSECONDS));
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
      transfer.unfinished().end(temporary.toString());
    }
    return true;
  }

  private FileCopy.Copied fill(String source, Path temporary, long bytes)
      throws IOException, InterruptedException {
    try (ByteSource from = ByteSource.remote(fs, source);
        FileChannel to =
            FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      FileCopy.Copied copied =
          transfer
              .copy()
              .copy(
                  from,
                  (offset, part) -> write(to, offset, part),
                  bytes,
                  transfer.progress()::moved);
      if (copied.bytes() < bytes) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "get: path=" + source + " bytes=" + copied.bytes() + " expected=" + bytes);
      }
      return copied;
    }
  }

  private void check(Path temporary, Path target, FileCopy.Copied wanted)
      throws IOException, InterruptedException {
    try (ByteSource back = ByteSource.local(temporary)) {
      FileCopy.Copied found = transfer.copy().copy(back, (_, _) -> {}, wanted.bytes(), _ -> {});
      if (!found.equals(wanted)) {
        throw new LuciolaException(
            ErrorCode.CORRUPT_DATA,
            "verify: path=" + target + " received=" + wanted + " on disk=" + found);
      }
    }
  }

  private static void write(FileChannel to, long offset, MemorySegment part) throws IOException {
    var buffer = part.asByteBuffer();
    while (buffer.hasRemaining()) {
      to.write(buffer, offset + buffer.position());
    }
  }

  private static boolean same(Path target, FileStat stat) throws IOException {
    return Files.isRegularFile(target)
        && Files.size(target) == stat.length()
        && Files.getLastModifiedTime(target).to(TimeUnit.NANOSECONDS) == stat.modifiedNanos();
  }
}
