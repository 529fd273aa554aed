package luciola.cli.transfer;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** Where files are copied from or to: this machine, or a cluster. Safe for use by many threads. */
interface Side {
  /** What the path leads to, links followed; an exception that names it if there is nothing. */
  Found follow(String path) throws IOException;

  /** What the path names itself, if anything. */
  Optional<Found> find(String path) throws IOException;

  /** Everything in a directory by its name. */
  Map<String, Found> list(String directory) throws IOException;

  /** The path of a name in a directory. */
  default String in(String directory, String name) {
    return directory.endsWith("/") ? directory + name : directory + "/" + name;
  }

  /** Makes a directory that its owner may write to, and its parents; one that is there is fine. */
  void makeDirectory(String path) throws IOException;

  /**
   * Begins a file that has its name only when it is whole.
   *
   * @param unfinished is told of what is to be removed if this process ends before
   */
  NewTarget begin(String path, Unfinished unfinished) throws IOException;

  /** Makes a file that is not there; others may not read it yet. */
  ByteTarget create(String path) throws IOException;

  /** Writes to a file that is there. */
  ByteTarget write(String path) throws IOException;

  ByteSource open(String path) throws IOException;

  /** Makes a symbolic link. */
  void link(String target, String path) throws IOException;

  String readLink(String path) throws IOException;

  /** Gives what the path names itself the mode and time of {@code like}. */
  void change(String path, Found like) throws IOException;

  /** Atomically; a file of the new name is replaced. */
  void rename(String from, String to) throws IOException;

  /** Removes a file, a link or an empty directory. */
  void remove(String path) throws IOException;

  /** Removes a directory with everything in it. */
  void removeTree(String path) throws IOException;

  /** Whether bytes written to a {@link ByteTarget} that was closed outlive this machine. */
  boolean keeps();

  /** Whether the failure says that no more fits. */
  boolean isFull(Throwable failure);

  /** Removes what may be there, as well as that goes. */
  default void removeQuietly(String path) {
    try {
      if (find(path).isPresent()) {
        remove(path);
      }
    } catch (IOException | RuntimeException _) {
      // Its name says that it is no file of anybody's.
    }
  }
}
