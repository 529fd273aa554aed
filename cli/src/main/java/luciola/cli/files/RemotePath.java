package luciola.cli.files;

import java.util.List;
import java.util.stream.Stream;
import luciola.cli.terminal.CommandFailure;

/** Paths of a cluster as users write them. */
final class RemotePath {
  private RemotePath() {}

  /** An absolute path without repeated or trailing slashes; anything else is wrong use. */
  static String of(String argument) {
    if (!argument.startsWith("/")) {
      throw CommandFailure.wrongUse(
          "paths in Luciola are absolute: did you mean /" + argument + " ?");
    }
    List<String> names = Stream.of(argument.split("/")).filter(name -> !name.isEmpty()).toList();
    if (names.contains(".") || names.contains("..")) {
      throw CommandFailure.wrongUse("no . or .. in a path: " + argument);
    }
    return "/" + String.join("/", names);
  }

  /** The path of a name in a directory. */
  static String in(String directory, String name) {
    return directory.equals("/") ? "/" + name : directory + "/" + name;
  }

  /** The last name of a path; empty for the root. */
  static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The path that a copy or move of {@code source} to {@code target} ends at. */
  static String destination(
      luciola.client.LuciolaFileSystem fs, String sourceName, String target, boolean several) {
    boolean directory = fs.find(target).filter(found -> found.isDirectory()).isPresent();
    if (several && !directory) {
      throw CommandFailure.failed(
          "several sources need a directory to go to, and " + target + " is none");
    }
    return directory && !sourceName.isEmpty() ? in(target, sourceName) : target;
  }
}
