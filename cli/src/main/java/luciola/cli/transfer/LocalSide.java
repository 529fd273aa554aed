package luciola.cli.transfer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The files of this machine, a Unix. */
final class LocalSide implements Side {
  private static final String WANTED =
      "unix:mode,size,lastModifiedTime,ino,dev,isRegularFile,isDirectory,isSymbolicLink";
  private static final LinkOption[] ITSELF = {LinkOption.NOFOLLOW_LINKS};
  private static final Set<OpenOption> NEW =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  private static final FileAttribute<?> OWNERS =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static Found found(Path path, LinkOption... links) throws IOException {
    Map<String, Object> all = Files.readAttributes(path, WANTED, links);
    Found.Kind kind =
        is(all, "isRegularFile")
            ? Found.Kind.FILE
            : is(all, "isDirectory")
                ? Found.Kind.DIRECTORY
                : is(all, "isSymbolicLink") ? Found.Kind.LINK : Found.Kind.OTHER;
    return new Found(
        kind,
        (Long) attribute(all, "size"),
        (Integer) attribute(all, "mode") & 07777,
        ((FileTime) attribute(all, "lastModifiedTime")).to(TimeUnit.NANOSECONDS),
        "inode " + attribute(all, "ino") + " of " + attribute(all, "dev"));
  }

  private static Object attribute(Map<String, Object> all, String name) {
    Object value = all.get(name);
    if (value == null) {
      throw new IllegalStateException("no attribute of this platform: " + name);
    }
    return value;
  }

  private static boolean is(Map<String, Object> all, String name) {
    return (Boolean) attribute(all, name);
  }

  @Override
  public Found follow(String path) throws IOException {
    return found(Path.of(path));
  }

  @Override
  public Optional<Found> find(String path) throws IOException {
    try {
      return Optional.of(found(Path.of(path), ITSELF));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  @Override
  public Map<String, Found> list(String directory) throws IOException {
    Map<String, Found> entries = new TreeMap<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(Path.of(directory))) {
      for (Path path : stream) {
        find(path.toString())
            .ifPresent(found -> entries.put(String.valueOf(path.getFileName()), found));
      }
    }
    return entries;
  }

  @Override
  public void makeDirectory(String path) throws IOException {
    Files.createDirectories(Path.of(path));
  }

  @Override
  public NewTarget begin(String path, Unfinished unfinished) throws IOException {
    String temporary = Temporary.beside(path);
    unfinished.begin(temporary, () -> remove(temporary));
    try {
      return new NewLocalFile(this, path, temporary, create(temporary), unfinished);
    } catch (IOException | RuntimeException e) {
      unfinished.end(temporary);
      throw e;
    }
  }

  @Override
  public ByteTarget create(String path) throws IOException {
    return target(FileChannel.open(Path.of(path), NEW, OWNERS));
  }

  @Override
  public ByteTarget write(String path) throws IOException {
    return target(FileChannel.open(Path.of(path), StandardOpenOption.WRITE));
  }

  private static ByteTarget target(FileChannel channel) {
    return new ByteTarget() {
      @Override
      public void write(long offset, MemorySegment from) throws IOException {
        ByteBuffer buffer = from.asByteBuffer();
        while (buffer.hasRemaining()) {
          channel.write(buffer, offset + buffer.position());
        }
      }

      @Override
      public void extend(long bytes) throws IOException {
        if (bytes > channel.size()) {
          channel.write(ByteBuffer.allocate(1), bytes - 1);
        } else {
          channel.truncate(bytes);
        }
      }

      @Override
      public void sync() {
        // The system has it, which outlives this process.
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  @Override
  public ByteSource open(String path) throws IOException {
    return ByteSource.local(Path.of(path));
  }

  @Override
  public void link(String target, String path) throws IOException {
    Files.createSymbolicLink(Path.of(path), Path.of(target));
  }

  @Override
  public String readLink(String path) throws IOException {
    return Files.readSymbolicLink(Path.of(path)).toString();
  }

  @Override
  public void change(String path, Found like) throws IOException {
    Path file = Path.of(path);
    if (like.kind() != Found.Kind.LINK) {
      Files.setAttribute(file, "unix:mode", like.mode());
    }
    Files.getFileAttributeView(file, BasicFileAttributeView.class, ITSELF)
        .setTimes(FileTime.from(like.modifiedNanos(), TimeUnit.NANOSECONDS), null, null);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Files.move(Path.of(from), Path.of(to), StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void remove(String path) throws IOException {
    Files.delete(Path.of(path));
  }

  @Override
  public void removeTree(String path) throws IOException {
    Files.walkFileTree(
        Path.of(path),
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /**
   * Only a flush would say so; what a crash of the machine leaves is compared before it is used.
   */
  @Override
  public boolean keeps() {
    return false;
  }

  @Override
  public boolean isFull(Throwable failure) {
    String said = String.valueOf(failure.getMessage());
    return said.contains("No space left on device") || said.contains("Disk quota exceeded");
  }
}
