package luciola.client.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What is mounted on this machine. Nothing here touches a mount itself. */
public final class Mounts {
  /** Type of this program's mounts, as {@code mount} shows it. */
  public static final String TYPE = "fuse.luciola";

  private static final Path TABLE = Path.of("/proc/self/mountinfo");

  private Mounts() {}

  /**
   * A mount.
   *
   * @param device "major:minor"
   */
  public record Mount(Path directory, String type, String device) {}

  /** What lies uppermost on a directory. */
  public static Optional<Mount> on(Path directory) throws IOException {
    Path wanted = directory.toAbsolutePath().normalize();
    return all().stream()
        .filter(mount -> mount.directory().equals(wanted))
        .reduce((_, later) -> later);
  }

  /** All of this machine's mounts. */
  public static List<Mount> all() throws IOException {
    return Files.readAllLines(TABLE, StandardCharsets.UTF_8).stream()
        .map(Mounts::parse)
        .flatMap(Optional::stream)
        .toList();
  }

  /** A line: five fields and options, a dash, then type, source and more options. */
  static Optional<Mount> parse(String line) {
    String[] fields = line.split(" ");
    int dash = List.of(fields).indexOf("-");
    return fields.length > 5 && dash > 0 && dash + 1 < fields.length
        ? Optional.of(new Mount(Path.of(unescaped(fields[4])), fields[dash + 1], fields[2]))
        : Optional.empty();
  }

  private static String unescaped(String path) {
    return path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }
}
