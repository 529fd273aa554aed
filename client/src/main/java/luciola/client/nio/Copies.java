package luciola.client.nio;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import luciola.client.AttributeChange;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Copies and moves of one name, between file systems of this provider or within one. */
final class Copies {
  private static final int COPY_BYTES = 4 << 20;

  private final LuciolaFileSystemProvider provider;

  Copies(LuciolaFileSystemProvider provider) {
    this.provider = provider;
  }

  void copy(Path source, Path target, CopyOption... options) throws IOException {
    List<CopyOption> wanted = checked(options);
    if (wanted.contains(StandardCopyOption.ATOMIC_MOVE)) {
      throw new UnsupportedOperationException("ATOMIC_MOVE is for moves");
    }
    FileStat from =
        LuciolaFileSystemProvider.view(source, !wanted.contains(LinkOption.NOFOLLOW_LINKS))
            .readAttributes()
            .stat();
    if (isAt(from, source, target)) {
      return;
    }
    makeRoom(target, wanted.contains(StandardCopyOption.REPLACE_EXISTING));
    copy(source, target, from, wanted.contains(StandardCopyOption.COPY_ATTRIBUTES));
  }

  private static List<CopyOption> checked(CopyOption... options) {
    for (CopyOption option : options) {
      if (!(requireNonNull(option) instanceof StandardCopyOption)
          && option != LinkOption.NOFOLLOW_LINKS) {
        throw new UnsupportedOperationException("unknown option: " + option);
      }
    }
    return Arrays.asList(options);
  }

  private void copy(Path source, Path target, FileStat from, boolean attributes)
      throws IOException {
    switch (from.type()) {
      case DIRECTORY ->
          provider.createDirectory(target, PosixFilePermissions.asFileAttribute(permissions(from)));
      case SYMLINK -> copyLink(source, target);
      case FILE -> copyBytes(source, target, from);
      case FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE ->
          throw new FileSystemException(
              source.toString(), target.toString(), "cannot be copied: " + from.type());
    }
    if (attributes) {
      String name = LuciolaFileSystemProvider.plain(target);
      LuciolaFileSystem files = LuciolaFileSystemProvider.files(target);
      AttributeChange change =
          new AttributeChange(
              from.type() == FileType.SYMLINK ? Optional.empty() : Optional.of(from.mode()),
              Optional.empty(),
              Optional.empty(),
              Optional.of(from.accessedNanos()),
              Optional.of(from.modifiedNanos()));
      IoErrors.translated(name, () -> files.lsetAttributes(name, change));
    }
  }

  private static Set<PosixFilePermission> permissions(FileStat stat) {
    return new LuciolaAttributes(stat, "").permissions();
  }

  private void copyLink(Path source, Path target) throws IOException {
    String leadsTo = provider.readSymbolicLink(source).toString();
    String name = LuciolaFileSystemProvider.plain(target);
    IoErrors.translate(name, () -> LuciolaFileSystemProvider.files(target).symlink(leadsTo, name));
  }

  private void copyBytes(Path source, Path target, FileStat from) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Math.clamp(from.length(), 4096, COPY_BYTES));
    boolean whole = false;
    try (FileChannel in = provider.newFileChannel(source, Set.of(StandardOpenOption.READ))) {
      FileChannel out =
          provider.newFileChannel(
              target,
              Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
              PosixFilePermissions.asFileAttribute(permissions(from)));
      try (out) {
        while (in.read(buffer) >= 0) {
          buffer.flip();
          out.write(buffer);
          buffer.clear();
        }
        whole = true;
      } finally {
        if (!whole) {
          provider.delete(target);
        }
      }
    }
  }

  private void makeRoom(Path target, boolean replace) throws IOException {
    if (lstat(target).isEmpty()) {
      return;
    }
    if (!replace) {
      throw new FileAlreadyExistsException(target.toString());
    }
    provider.delete(target);
  }

  private static Optional<FileStat> lstat(Path path) throws IOException {
    String name = LuciolaFileSystemProvider.plain(path);
    try {
      return Optional.of(LuciolaFileSystemProvider.files(path).lstat(name));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND) {
        return Optional.empty();
      }
      throw IoErrors.of(name, e);
    }
  }

  /** Whether the target is a name of the same file, links not followed. */
  private static boolean isAt(FileStat from, Path source, Path target) throws IOException {
    return LuciolaPath.of(source).files() == LuciolaPath.of(target).files()
        && lstat(target).filter(there -> there.inode().equals(from.inode())).isPresent();
  }

  void move(Path source, Path target, CopyOption... options) throws IOException {
    List<CopyOption> wanted = checked(options);
    if (wanted.contains(StandardCopyOption.COPY_ATTRIBUTES)) {
      throw new UnsupportedOperationException("COPY_ATTRIBUTES is for copies");
    }
    boolean atomic = wanted.contains(StandardCopyOption.ATOMIC_MOVE);
    if (LuciolaPath.of(source).files() != LuciolaPath.of(target).files()) {
      if (atomic) {
        throw new AtomicMoveNotSupportedException(
            source.toString(), target.toString(), "two file systems");
      }
      moveAcross(source, target, wanted.contains(StandardCopyOption.REPLACE_EXISTING));
    } else if (atomic) {
      rename(source, target, true);
    } else {
      FileStat from = LuciolaFileSystemProvider.view(source, false).readAttributes().stat();
      if (isAt(from, source, target)) {
        return;
      }
      if (wanted.contains(StandardCopyOption.REPLACE_EXISTING)) {
        replaceByMove(source, target);
      } else {
        rename(source, target, false);
      }
    }
  }

  private void moveAcross(Path source, Path target, boolean replace) throws IOException {
    FileStat from = LuciolaFileSystemProvider.view(source, false).readAttributes().stat();
    if (from.isDirectory()) {
      String name = LuciolaFileSystemProvider.plain(source);
      if (!IoErrors.translated(name, () -> LuciolaFileSystemProvider.files(source).list(name))
          .isEmpty()) {
        throw new DirectoryNotEmptyException(source.toString());
      }
    }
    makeRoom(target, replace);
    copy(source, target, from, true);
    provider.delete(source);
  }

  /** A rename replaces only what is of the same kind; what is not goes first. */
  private void replaceByMove(Path source, Path target) throws IOException {
    try {
      rename(source, target, true);
    } catch (IOException e) {
      if (!(e.getCause() instanceof LuciolaException fault)
          || (fault.code() != ErrorCode.IS_A_DIRECTORY
              && fault.code() != ErrorCode.NOT_A_DIRECTORY)) {
        throw e;
      }
      provider.delete(target);
      rename(source, target, true);
    }
  }

  private static void rename(Path source, Path target, boolean replace) throws IOException {
    LuciolaFileSystem files = LuciolaFileSystemProvider.files(source);
    String from = LuciolaFileSystemProvider.plain(source);
    String to = LuciolaFileSystemProvider.plain(target);
    IoErrors.translate(
        replace ? from : to,
        () -> {
          if (replace) {
            files.rename(from, to);
          } else {
            files.renameNoReplace(from, to);
          }
        });
  }
}
