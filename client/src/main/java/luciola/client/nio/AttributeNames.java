package luciola.client.nio;

import com.google.common.base.Splitter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Attributes as {@code Files.readAttributes} names them: {@code posix:owner,permissions}, {@code
 * *}.
 *
 * @param view which of {@link #VIEWS}
 * @param names of it, or {@code *}
 */
record AttributeNames(String view, List<String> names) {
  static final Set<String> VIEWS = Set.of("basic", "owner", "posix", "unix");

  private static final Set<String> BASIC =
      Set.of(
          "lastModifiedTime",
          "lastAccessTime",
          "creationTime",
          "size",
          "isRegularFile",
          "isDirectory",
          "isSymbolicLink",
          "isOther",
          "fileKey");
  private static final Set<String> POSIX = Set.of("owner", "group", "permissions");
  private static final Set<String> UNIX =
      Set.of("mode", "ino", "dev", "rdev", "nlink", "uid", "gid", "ctime");

  /**
   * What the text asks for.
   *
   * @throws UnsupportedOperationException if there is no such view
   * @throws IllegalArgumentException if that view has no such attribute
   */
  static AttributeNames of(String text) {
    int colon = text.indexOf(':');
    String view = colon < 0 ? "basic" : text.substring(0, colon);
    if (!VIEWS.contains(view)) {
      throw new UnsupportedOperationException("no such view: " + view);
    }
    AttributeNames asked =
        new AttributeNames(view, Splitter.on(',').splitToList(text.substring(colon + 1)));
    for (String name : asked.names) {
      if (!name.equals("*") && !asked.has(name)) {
        throw new IllegalArgumentException("no such attribute: " + view + ":" + name);
      }
    }
    return asked;
  }

  /** Whether the view has an attribute of that name. */
  private boolean has(String name) {
    return switch (view) {
      case "basic" -> BASIC.contains(name);
      case "owner" -> name.equals("owner");
      case "posix" -> BASIC.contains(name) || POSIX.contains(name);
      default -> BASIC.contains(name) || POSIX.contains(name) || UNIX.contains(name);
    };
  }

  /** Those that are asked for. */
  Map<String, Object> of(LuciolaAttributes attributes) {
    Map<String, Object> all = attributes.byName();
    Map<String, Object> some = new HashMap<>();
    all.forEach((name, value) -> {
      if (has(name) && (names.contains(name) || names.contains("*"))) {
        some.put(name, value);
      }
    });
    return some;
  }

  /**
   * The only one, to be set.
   *
   * @throws IllegalArgumentException if it is not one
   */
  String one() {
    String name = names.getFirst();
    if (names.size() != 1 || name.equals("*")) {
      throw new IllegalArgumentException("not one attribute: " + view + ":" + names);
    }
    return name;
  }
}
