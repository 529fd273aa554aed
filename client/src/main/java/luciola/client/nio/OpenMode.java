package luciola.client.nio;

import static java.util.Objects.requireNonNull;

import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import luciola.client.OpenOptions;

/**
 * The options of an open, checked and with their defaults.
 *
 * @param durable each write is on every replica, and the length published, when it returns
 * @param nofollow a symbolic link is refused
 */
record OpenMode(
    boolean read,
    boolean write,
    boolean append,
    boolean deleteOnClose,
    boolean durable,
    boolean nofollow,
    OpenOptions options) {

  static OpenMode of(Set<? extends OpenOption> wanted, FileAttribute<?>... attributes) {
    for (OpenOption option : wanted) {
      if (!(requireNonNull(option) instanceof StandardOpenOption)
          && !(option instanceof LinkOption)) {
        throw new UnsupportedOperationException("unknown open option: " + option);
      }
    }
    boolean append = wanted.contains(StandardOpenOption.APPEND);
    boolean write = append || wanted.contains(StandardOpenOption.WRITE);
    boolean read = wanted.contains(StandardOpenOption.READ) || !write;
    boolean truncate = write && wanted.contains(StandardOpenOption.TRUNCATE_EXISTING);
    if (append && (truncate || wanted.contains(StandardOpenOption.READ))) {
      throw new IllegalArgumentException("APPEND goes with neither READ nor TRUNCATE_EXISTING");
    }
    boolean createNew = write && wanted.contains(StandardOpenOption.CREATE_NEW);
    boolean create = createNew || (write && wanted.contains(StandardOpenOption.CREATE));
    return new OpenMode(
        read,
        write,
        append,
        wanted.contains(StandardOpenOption.DELETE_ON_CLOSE),
        write
            && (wanted.contains(StandardOpenOption.SYNC)
                || wanted.contains(StandardOpenOption.DSYNC)),
        wanted.contains(LinkOption.NOFOLLOW_LINKS),
        new OpenOptions(create, createNew, truncate, mode(0644, attributes), 0, 0));
  }

  /** The permission bits that the attributes ask for; none but these can be set at the start. */
  @SuppressWarnings("unchecked")
  static int mode(int otherwise, FileAttribute<?>... attributes) {
    int mode = otherwise;
    for (FileAttribute<?> attribute : attributes) {
      if (!attribute.name().equals("posix:permissions")) {
        throw new UnsupportedOperationException(
            "attribute cannot be set at creation: " + attribute.name());
      }
      mode = LuciolaAttributes.mode((Set<PosixFilePermission>) attribute.value());
    }
    return mode;
  }
}
