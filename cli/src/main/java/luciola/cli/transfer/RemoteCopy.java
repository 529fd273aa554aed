package luciola.cli.transfer;

import java.io.IOException;
import luciola.cli.terminal.Invocation;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;

/** Copies files and trees inside a cluster. */
public final class RemoteCopy implements AutoCloseable {
  private final LuciolaFileSystem fs;
  private final TransferOptions options;
  private final Transfer transfer;

  public RemoteCopy(Invocation invocation, LuciolaFileSystem fs, TransferOptions options) {
    this.fs = fs;
    this.options = options;
    this.transfer = new Transfer(invocation, "cp", options.parallel());
  }

  /** Copies what the path names, with everything in it, to another path. */
  public void add(String source, String target) throws InterruptedException {
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

  private void directory(String source, String target) throws InterruptedException {
    // Listed before the copy is made: a copy into itself ends.
    var entries = fs.list(source);
    fs.mkdirs(target);
    for (DirectoryEntry entry : entries) {
      String from = (source.equals("/") ? "" : source) + "/" + entry.name();
      String to = (target.equals("/") ? "" : target) + "/" + entry.name();
      switch (entry.stat().type()) {
        case DIRECTORY -> directory(from, to);
        case FILE -> file(from, to, entry.stat());
        case SYMLINK -> transfer.submit(from, 0, () -> link(from, to));
      }
    }
  }

  private boolean link(String source, String target) {
    if (fs.find(target).isPresent()) {
      fs.remove(target);
    }
    fs.symlink(fs.readLink(source), target);
    return true;
  }

  private void file(String source, String target, FileStat stat) throws InterruptedException {
    transfer.submit(source, stat.length(), () -> copy(source, target, stat));
  }

  private boolean copy(String source, String target, FileStat stat)
      throws IOException, InterruptedException {
    if (options.resume
        && fs.find(target)
            .filter(there -> there.length() == stat.length())
            .filter(there -> there.modifiedNanos() == stat.modifiedNanos())
            .isPresent()) {
      transfer.progress().moved(stat.length());
      return false;
    }
    try (ByteSource bytes = ByteSource.remote(fs, source)) {
      new RemoteTarget(fs, transfer, options.verify)
          .write(
              bytes,
              target,
              stat.mode(),
              stat.modifiedNanos(),
              stat.length(),
              transfer.progress()::moved);
    }
    return true;
  }
}
