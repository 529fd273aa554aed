package luciola.cli.mount;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import luciola.cli.terminal.CommandFailure;
import luciola.client.fuse.FuseSession;
import luciola.client.mount.Mounts;

/** Directories that are mounted on, or may be. */
final class MountPoint {
  private MountPoint() {}

  /** Whether one of our mounts lies there. */
  static boolean isOurs(Path directory) throws IOException {
    return Mounts.on(directory).filter(mount -> mount.type().equals(Mounts.TYPE)).isPresent();
  }

  /**
   * A directory to mount on: it exists and is empty. A dead mount that lies there is taken away.
   *
   * @return its real path
   */
  static Path check(Path directory) throws IOException {
    Path where = real(directory);
    if (isOurs(where)) {
      if (answers(where)) {
        throw CommandFailure.failed("already mounted: " + where);
      }
      int errno = FuseSession.unmount(where, true);
      if (errno != 0) {
        throw CommandFailure.failed(
            "a dead mount lies on " + where + " and cannot be taken away: errno " + errno);
      }
    }
    if (!Files.isDirectory(where)) {
      throw CommandFailure.failed(
          Files.exists(where) ? "not a directory: " + where : "no such directory: " + where);
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(where)) {
      if (entries.iterator().hasNext()) {
        throw CommandFailure.failed("not empty: " + where + "; mounting would hide what is there");
      }
    }
    return where;
  }

  /** The directory without links on the way to it; what is mounted on it is not touched. */
  static Path real(Path directory) throws IOException {
    Path parent = directory.getParent();
    Path name = directory.getFileName();
    if (parent == null || name == null) {
      throw CommandFailure.wrongUse("cannot be mounted on: " + directory);
    }
    if (!Files.exists(parent)) {
      throw CommandFailure.failed("no such directory: " + directory);
    }
    Path where = parent.toRealPath().resolve(name);
    return !isOurs(where) && Files.isSymbolicLink(where) ? where.toRealPath() : where;
  }

  /** Whether the process behind a mount lives. */
  private static boolean answers(Path where) {
    try {
      var _ = Files.getFileStore(where).getTotalSpace();
      return Files.exists(where, LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      return false;
    }
  }
}
