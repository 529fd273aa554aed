package luciola.cli.mount;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Steps of programs on a few names, drawn by a seed. */
final class RandomSteps {
  private static final String[] NAMES = {"a", "b", "c", "a/d", "a/e", "b/f", "a/d/g", "c/h"};

  private final Random random;

  RandomSteps(long seed) {
    this.random = new Random(seed);
  }

  private enum Kind {
    MKDIR,
    CREATE,
    WRITE,
    APPEND,
    TRUNCATE,
    READ,
    DELETE,
    RENAME,
    LINK,
    SYMLINK,
    CHMOD,
    TIMES,
    STAT,
    LIST
  }

  /** One step; the same numbers wherever it is done. */
  record Step(Kind kind, String name, String other, long number, long seed) {
    /** What a program sees of it. */
    String on(Path root) throws IOException {
      try {
        return kind + " " + done(root.resolve(name), root.resolve(other));
      } catch (FileSystemException e) {
        String reason = e.getReason();
        return kind + " " + e.getClass().getSimpleName() + " " + (reason == null ? "" : reason);
      } catch (IOException e) {
        return kind + " " + e.getMessage();
      }
    }

    private String done(Path path, Path second) throws IOException {
      switch (kind) {
        case MKDIR -> Files.createDirectory(path);
        case CREATE -> Files.createFile(path);
        case WRITE -> write(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        case APPEND -> write(path, StandardOpenOption.APPEND);
        case TRUNCATE -> {
          try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            file.truncate(number);
            return Long.toString(file.size());
          }
        }
        case READ -> {
          return Integer.toHexString(Arrays.hashCode(Files.readAllBytes(path)));
        }
        case DELETE -> Files.delete(path);
        case RENAME -> Files.move(path, second, StandardCopyOption.ATOMIC_MOVE);
        case LINK -> Files.createLink(second, path);
        case SYMLINK -> Files.createSymbolicLink(path, Path.of(other));
        case CHMOD ->
            Files.setPosixFilePermissions(
                path, PosixFilePermissions.fromString(number % 2 == 0 ? "rwxr-x---" : "rwx-w-r-x"));
        case TIMES -> Files.setLastModifiedTime(path, FileTime.fromMillis(number));
        case STAT -> {
          return describe(path);
        }
        case LIST -> {
          try (Stream<Path> files = Files.list(path)) {
            return files
                .map(file -> String.valueOf(file.getFileName()))
                .sorted()
                .toList()
                .toString();
          }
        }
      }
      return "done";
    }

    private void write(Path path, OpenOption... options) throws IOException {
      var bytes = new byte[(int) (number % 70_000)];
      new Random(seed).nextBytes(bytes);
      try (FileChannel file = FileChannel.open(path, options)) {
        if (!Arrays.asList(options).contains(StandardOpenOption.APPEND)) {
          file.position(number % 50_021);
        }
        file.write(ByteBuffer.wrap(bytes));
      }
    }
  }

  Step next() {
    Kind[] kinds = Kind.values();
    return new Step(
        kinds[random.nextInt(kinds.length)],
        NAMES[random.nextInt(NAMES.length)],
        NAMES[random.nextInt(NAMES.length)],
        random.nextInt(200_000),
        random.nextLong());
  }

  /** Everything below a directory: attributes, and a sum of the bytes. */
  static Map<String, String> tree(Path root) throws IOException {
    var tree = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(each -> !each.equals(root)).toList()) {
        String content =
            Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                ? " " + Arrays.hashCode(Files.readAllBytes(file))
                : "";
        tree.put(root.relativize(file).toString(), describe(file) + content);
      }
    }
    return tree;
  }

  private static String describe(Path path) throws IOException {
    var attributes =
        Files.readAttributes(path, "unix:mode,nlink,size,isDirectory", LinkOption.NOFOLLOW_LINKS);
    boolean directory = Boolean.TRUE.equals(attributes.get("isDirectory"));
    String size = directory ? "-" : String.valueOf(attributes.get("size"));
    return Integer.toOctalString(Integer.parseInt(String.valueOf(attributes.get("mode"))))
        + " "
        + attributes.get("nlink")
        + " "
        + size;
  }
}
