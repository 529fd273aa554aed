package luciola.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** The rules of absolute paths, the same for every implementation. */
public final class PathNames {
  /** Longest name of one component in UTF-8 bytes. */
  public static final int NAME_BYTES_MAX = 255;

  private PathNames() {}

  /**
   * Names on the way from the root; empty for the root itself. Repeated and trailing slashes do not
   * count.
   *
   * @throws LuciolaException INVALID_ARGUMENT for a relative path, NUL, {@code .} or {@code ..};
   *     NAME_TOO_LONG
   */
  public static List<String> components(String operation, String path) {
    if (!path.startsWith("/")) {
      throw refused(ErrorCode.INVALID_ARGUMENT, operation, path, "a path starts with /");
    }
    List<String> names = new ArrayList<>();
    int at = 0;
    while (at < path.length()) {
      int slash = path.indexOf('/', at);
      int end = slash < 0 ? path.length() : slash;
      if (end > at) {
        names.add(checked(operation, path, path.substring(at, end)));
      }
      at = end + 1;
    }
    return names;
  }

  /** The path of these components. */
  public static String join(List<String> names) {
    return "/" + String.join("/", names);
  }

  private static String checked(String operation, String path, String name) {
    if (name.equals(".") || name.equals("..") || name.indexOf('\0') >= 0) {
      throw refused(ErrorCode.INVALID_ARGUMENT, operation, path, "no . or .. or NUL in a path");
    }
    if (name.length() > NAME_BYTES_MAX / 4
        && name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
      throw refused(
          ErrorCode.NAME_TOO_LONG, operation, path, "a name has at most 255 bytes in UTF-8");
    }
    return name;
  }

  private static LuciolaException refused(
      ErrorCode code, String operation, String path, String rule) {
    return new LuciolaException(code, operation + ": path=" + path + " (" + rule + ")");
  }
}
