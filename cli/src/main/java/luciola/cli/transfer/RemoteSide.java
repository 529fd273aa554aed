package luciola.cli.transfer;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import luciola.client.AttributeChange;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.WritableFile;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** The files of a cluster. */
record RemoteSide(LuciolaFileSystem fs) implements Side {
  private static final OpenOptions NEW = new OpenOptions(true, true, false, 0600, 0, 0);

  private static Found found(FileStat stat) {
    Found.Kind kind =
        switch (stat.type()) {
          case FILE -> Found.Kind.FILE;
          case DIRECTORY -> Found.Kind.DIRECTORY;
          case SYMLINK -> Found.Kind.LINK;
          case FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE -> Found.Kind.OTHER;
        };
    return new Found(
        kind, stat.length(), stat.mode(), stat.modifiedNanos(), "inode " + stat.inode().value());
  }

  @Override
  public Found follow(String path) {
    return found(fs.stat(path));
  }

  @Override
  public Optional<Found> find(String path) {
    try {
      return Optional.of(found(fs.lstat(path)));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public Map<String, Found> list(String directory) {
    Map<String, Found> entries = new LinkedHashMap<>();
    for (DirectoryEntry entry : fs.list(directory)) {
      entries.put(entry.name(), found(entry.stat()));
    }
    return entries;
  }

  @Override
  public void makeDirectory(String path) {
    fs.mkdirs(path);
  }

  /** Nothing is left to remove: a file without a name goes with its session. */
  @Override
  public NewTarget begin(String path, Unfinished unfinished) {
    NewFile file = fs.begin(path, 0600);
    return new NewTarget() {
      @Override
      public void write(long offset, MemorySegment from) {
        file.write(offset, from);
      }

      @Override
      public ByteSource readBack() {
        return new ByteSource() {
          @Override
          public CompletableFuture<Long> read(long offset, MemorySegment into) {
            return file.read(offset, into);
          }

          @Override
          public void close() {
            // The file is still being made.
          }
        };
      }

      @Override
      public void give(Found like) {
        var _ = file.publish(likeThat(like));
      }

      @Override
      public void close() {
        file.close();
      }
    };
  }

  private static AttributeChange likeThat(Found like) {
    return new AttributeChange(
        like.kind() == Found.Kind.LINK ? Optional.empty() : Optional.of(like.mode()),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(like.modifiedNanos()));
  }

  @Override
  public ByteTarget create(String path) {
    return target(fs.openWrite(path, NEW));
  }

  @Override
  public ByteTarget write(String path) {
    return target(fs.openWrite(path, OpenOptions.EXISTING));
  }

  private static ByteTarget target(WritableFile file) {
    return new ByteTarget() {
      @Override
      public void write(long offset, MemorySegment from) {
        file.write(offset, from);
      }

      @Override
      public void extend(long bytes) {
        file.truncate(bytes);
      }

      @Override
      public void sync() {
        file.sync();
      }

      @Override
      public void close() {
        file.close();
      }
    };
  }

  @Override
  public ByteSource open(String path) {
    return ByteSource.remote(fs, path);
  }

  @Override
  public void link(String target, String path) {
    fs.symlink(target, path);
  }

  @Override
  public String readLink(String path) {
    return fs.readLink(path);
  }

  @Override
  public void change(String path, Found like) {
    var _ = fs.lsetAttributes(path, likeThat(like));
  }

  @Override
  public void rename(String from, String to) {
    fs.rename(from, to);
  }

  @Override
  public void remove(String path) {
    fs.remove(path);
  }

  @Override
  public void removeTree(String path) {
    fs.removeRecursively(path);
  }

  @Override
  public boolean keeps() {
    return true;
  }

  @Override
  public boolean isFull(Throwable failure) {
    return failure instanceof LuciolaException known
        && (known.code() == ErrorCode.NO_SPACE || known.code() == ErrorCode.QUOTA_EXCEEDED);
  }
}
