package luciola.client;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import luciola.protocol.error.LuciolaException;

/**
 * A Luciola file system as a program sees it. Paths are absolute, separated by {@code /}; {@code .}
 * and {@code ..} are refused. Every method may be called from any thread and fails with {@link
 * LuciolaException}, whose message names the path and the operation.
 *
 * <p>Implementations: the cluster's ({@code ClusterFileSystem}) and one in memory with the same
 * contract for tests ({@code MemoryFileSystem}); one contract test runs over both.
 */
public interface LuciolaFileSystem extends AutoCloseable {

  /** Attributes of what the path names, symbolic links followed; NOT_FOUND if there is nothing. */
  FileStat stat(String path);

  /** Like {@link #stat} but empty where there is nothing. */
  Optional<FileStat> find(String path);

  /** Like {@link #stat} but of a symbolic link itself. */
  FileStat lstat(String path);

  /** Like {@link #mkdir(String, int)} with 0755. */
  default FileStat mkdir(String path) {
    return mkdir(path, 0755);
  }

  /**
   * Creates one directory; EXISTS if the name is taken, NOT_FOUND if the parent is missing.
   *
   * @param mode permission bits
   */
  FileStat mkdir(String path, int mode);

  /** Creates a directory and its missing parents; an existing directory is fine. */
  FileStat mkdirs(String path);

  /** Entries of a directory in byte order of their names, attributes included. */
  List<DirectoryEntry> list(String path);

  /**
   * Shows the entries of a directory in byte order of their names, some at a time, so that any
   * number of them can be listed; what changes meanwhile may be shown or not.
   */
  default void list(String path, Consumer<DirectoryEntry> visitor) {
    list(path).forEach(visitor);
  }

  /** Renames atomically, replacing a file or an empty directory of that name as POSIX says. */
  void rename(String from, String to);

  /** Renames atomically; EXISTS if the new name is taken. */
  void renameNoReplace(String from, String to);

  /** Removes a file, a symbolic link or an empty directory. */
  void remove(String path);

  /** Removes a whole tree; its space is given back in the background. */
  void removeRecursively(String path);

  /** Creates a second name for a file. */
  void link(String existing, String newPath);

  /** Creates a symbolic link at {@code path}. */
  void symlink(String target, String path);

  /** The target of a symbolic link. */
  String readLink(String path);

  /** Changes mode, owner or times; what is empty in {@code change} stays. */
  FileStat setAttributes(String path, AttributeChange change);

  /** Like {@link #setAttributes} but of a symbolic link itself. */
  FileStat lsetAttributes(String path, AttributeChange change);

  /** Opens an existing file for reading. */
  ReadableFile openRead(String path);

  /** Opens or creates a file for writing as the options say. */
  WritableFile openWrite(String path, OpenOptions options);

  /**
   * Begins a file that has no name before it is whole; IS_A_DIRECTORY, NOT_FOUND and so on if the
   * path could not be given to it now.
   *
   * @param mode permission bits, as far as {@link NewFile#publish} names no others
   */
  NewFile begin(String path, int mode);

  /**
   * Reads many ranges, of many files, at once: grouped into one request per storage server, any
   * number of ranges within the bytes that the client has under way. Completes when every range is
   * in its destination and verified, and never while one of them may still be written; fails as a
   * whole, with the first fault, when all have ended (destinations then hold anything). A range of
   * no bytes is fine; one past the end of its file fails with INVALID_ARGUMENT before anything is
   * read. To cancel the future changes nothing: the memory is free when the reads have ended.
   *
   * <pre>{@code
   * try (Arena arena = Arena.ofShared();
   *     ReadableFile index = fs.openRead("/data/index");
   *     ReadableFile shard = fs.openRead("/data/shard-0")) {
   *   MemorySegment head = arena.allocate(4096);
   *   MemorySegment sample = arena.allocate(200_000);
   *   fs.read(List.of(new ReadRange(index, 0, head), new ReadRange(shard, 7_000_000, sample)))
   *       .join();
   * }
   * }</pre>
   */
  CompletableFuture<Void> read(List<ReadRange> ranges);

  /**
   * Like {@link #read} with an outcome for each range, in their order: one that fails leaves the
   * others alone.
   */
  List<CompletableFuture<Void>> readEach(List<ReadRange> ranges);

  /** Usable space and files of the whole system. */
  SpaceUsage usage();

  @Override
  void close();
}
