package luciola.client.memory;

import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import luciola.client.AttributeChange;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.PathNames;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.SpaceUsage;
import luciola.client.WritableFile;
import luciola.client.memory.MemoryInode.Directory;
import luciola.client.memory.MemoryInode.File;
import luciola.client.memory.MemoryInode.Symlink;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import luciola.protocol.id.InodeId;
import org.jspecify.annotations.Nullable;

/**
 * A file system in this process's heap with the contract of the cluster's. One lock; every
 * operation is immediate, so futures come back completed. Everything belongs to uid 0, and
 * permission bits are kept but not enforced.
 */
public final class MemoryFileSystem implements LuciolaFileSystem {
  /** Space of a file system made without saying. */
  public static final long CAPACITY_BYTES_DEFAULT = 1L << 40;

  private static final int SYMLINKS_MAX = 40;

  private final long capacityBytes;
  private final LongSupplier nowNanos;
  private final Directory root;
  private long inodes = 1;
  private long lastInode = 1;
  private long usedBytes;
  private boolean closed;

  /** With room for a terabyte and the system's clock. */
  public MemoryFileSystem() {
    this(CAPACITY_BYTES_DEFAULT, MemoryFileSystem::systemNanos);
  }

  /**
   * Both injected.
   *
   * @param capacityBytes writes past this fail with NO_SPACE; counted in pages of 64 KiB
   * @param nowNanos nanoseconds since 1970
   */
  public MemoryFileSystem(long capacityBytes, LongSupplier nowNanos) {
    this.capacityBytes = capacityBytes;
    this.nowNanos = nowNanos;
    this.root = new Directory(new InodeId(1), 0755, nowNanos.getAsLong());
  }

  private static long systemNanos() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  @Override
  public synchronized FileStat stat(String path) {
    return resolve("stat", path, true).stat();
  }

  @Override
  public synchronized Optional<FileStat> find(String path) {
    try {
      return Optional.of(stat(path));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND || e.code() == ErrorCode.NOT_A_DIRECTORY) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public synchronized FileStat lstat(String path) {
    return resolve("lstat", path, false).stat();
  }

  @Override
  public synchronized FileStat mkdir(String path, int mode) {
    Place place = placeOf("mkdir", path);
    if (place.name.isEmpty() || place.found() != null) {
      throw fault(ErrorCode.EXISTS, "mkdir", path);
    }
    return makeDirectory(place.parent, place.name, mode & 07777).stat();
  }

  @Override
  public synchronized FileStat mkdirs(String path) {
    List<String> names = PathNames.components("mkdirs", path);
    for (int depth = 1; depth <= names.size(); depth++) {
      String part = PathNames.join(names.subList(0, depth));
      Place place = placeOf("mkdirs", part);
      if (place.found() == null) {
        makeDirectory(place.parent, place.name, 0755);
      } else if (!(resolve("mkdirs", part, true) instanceof Directory)) {
        throw fault(
            depth == names.size() ? ErrorCode.EXISTS : ErrorCode.NOT_A_DIRECTORY, "mkdirs", path);
      }
    }
    return resolve("mkdirs", path, true).stat();
  }

  @Override
  public synchronized List<DirectoryEntry> list(String path) {
    if (!(resolve("list", path, true) instanceof Directory directory)) {
      throw fault(ErrorCode.NOT_A_DIRECTORY, "list", path);
    }
    List<DirectoryEntry> entries = new ArrayList<>();
    directory.entries.forEach((name, inode) -> entries.add(new DirectoryEntry(name, inode.stat())));
    return entries;
  }

  @Override
  public void rename(String from, String to) {
    rename(from, to, true);
  }

  @Override
  public void renameNoReplace(String from, String to) {
    rename(from, to, false);
  }

  private synchronized void rename(String from, String to, boolean replace) {
    Place source = placeOf("rename", from);
    Place target = placeOf("rename", to);
    if (source.name.isEmpty() || target.name.isEmpty()) {
      throw fault(ErrorCode.INVALID_ARGUMENT, "rename", from + " to=" + to);
    }
    MemoryInode moved = source.required("rename");
    MemoryInode replaced = target.found();
    if (replaced != null && !replace) {
      throw fault(ErrorCode.EXISTS, "rename", from + " to=" + to);
    }
    if (moved == replaced) {
      return;
    }
    if (moved instanceof Directory directory && target.parent.isBelow(directory)) {
      throw fault(ErrorCode.INVALID_ARGUMENT, "rename", from + " to=" + to);
    }
    if (replaced != null) {
      checkReplaceable(moved, replaced, from, to);
      detach(target);
    }
    long now = nowNanos.getAsLong();
    source.parent.entries.remove(source.name);
    source.parent.modified(now);
    target.parent.entries.put(target.name, moved);
    target.parent.modified(now);
    moved.changedNanos = now;
    if (moved instanceof Directory directory) {
      source.parent.nlink--;
      target.parent.nlink++;
      directory.parent = target.parent;
    }
  }

  private static void checkReplaceable(
      MemoryInode moved, MemoryInode replaced, String from, String to) {
    if (replaced instanceof Directory directory) {
      if (!(moved instanceof Directory)) {
        throw fault(ErrorCode.IS_A_DIRECTORY, "rename", from + " to=" + to);
      }
      if (!directory.entries.isEmpty()) {
        throw fault(ErrorCode.NOT_EMPTY, "rename", from + " to=" + to);
      }
    } else if (moved instanceof Directory) {
      throw fault(ErrorCode.NOT_A_DIRECTORY, "rename", from + " to=" + to);
    }
  }

  @Override
  public synchronized void remove(String path) {
    Place place = placeOf("remove", path);
    if (place.name.isEmpty()) {
      throw fault(ErrorCode.NOT_PERMITTED, "remove", path);
    }
    if (place.required("remove") instanceof Directory directory && !directory.entries.isEmpty()) {
      throw fault(ErrorCode.NOT_EMPTY, "remove", path);
    }
    detach(place);
  }

  @Override
  public synchronized void removeRecursively(String path) {
    Place place = placeOf("removeRecursively", path);
    if (place.name.isEmpty()) {
      throw fault(ErrorCode.NOT_PERMITTED, "removeRecursively", path);
    }
    Deque<Place> left = new ArrayDeque<>();
    place.required("removeRecursively");
    left.push(place);
    while (!left.isEmpty()) {
      Place next = left.peek();
      if (next.found() instanceof Directory directory && !directory.entries.isEmpty()) {
        directory.entries.keySet().forEach(name -> left.push(new Place(directory, name, path)));
      } else {
        detach(left.pop());
      }
    }
  }

  /** Takes a name away; a directory must be empty. */
  private void detach(Place place) {
    MemoryInode inode = place.required("remove");
    long now = nowNanos.getAsLong();
    place.parent.entries.remove(place.name);
    place.parent.modified(now);
    inode.changedNanos = now;
    if (inode instanceof Directory) {
      place.parent.nlink--;
      inode.nlink = 0;
    } else {
      inode.nlink--;
    }
    collect(inode);
  }

  private void collect(MemoryInode inode) {
    if (inode.nlink > 0 || (inode instanceof File file && file.opened > 0)) {
      return;
    }
    inodes--;
    if (inode instanceof File file) {
      usedBytes -= file.bytes.storedBytes();
    }
  }

  @Override
  public synchronized void link(String existing, String newPath) {
    MemoryInode inode = resolve("link", existing, false);
    if (inode instanceof Directory) {
      throw fault(ErrorCode.NOT_PERMITTED, "link", existing);
    }
    Place place = vacant("link", newPath);
    long now = nowNanos.getAsLong();
    place.parent.entries.put(place.name, inode);
    place.parent.modified(now);
    inode.nlink++;
    inode.changedNanos = now;
  }

  @Override
  public synchronized void symlink(String target, String path) {
    if (target.isEmpty()) {
      throw fault(ErrorCode.INVALID_ARGUMENT, "symlink", path);
    }
    Place place = vacant("symlink", path);
    place.parent.entries.put(place.name, new Symlink(newInode(), target, nowNanos.getAsLong()));
    place.parent.modified(nowNanos.getAsLong());
  }

  @Override
  public synchronized String readLink(String path) {
    if (resolve("readLink", path, false) instanceof Symlink link) {
      return link.target;
    }
    throw fault(ErrorCode.INVALID_ARGUMENT, "readLink", path);
  }

  @Override
  public synchronized FileStat setAttributes(String path, AttributeChange change) {
    return change(resolve("setAttributes", path, true), change);
  }

  @Override
  public synchronized FileStat lsetAttributes(String path, AttributeChange change) {
    return change(resolve("lsetAttributes", path, false), change);
  }

  private FileStat change(MemoryInode inode, AttributeChange change) {
    change.mode().ifPresent(mode -> inode.mode = mode & 07777);
    change.uid().ifPresent(uid -> inode.uid = uid);
    change.gid().ifPresent(gid -> inode.gid = gid);
    change.accessedNanos().ifPresent(nanos -> inode.accessedNanos = nanos);
    change.modifiedNanos().ifPresent(nanos -> inode.modifiedNanos = nanos);
    inode.changedNanos = nowNanos.getAsLong();
    return inode.stat();
  }

  @Override
  public synchronized ReadableFile openRead(String path) {
    return new MemoryReadableFile(this, path, fileAt("openRead", path));
  }

  @Override
  public synchronized WritableFile openWrite(String path, OpenOptions options) {
    Place place = placeOf("openWrite", path);
    boolean missing = !place.name.isEmpty() && place.found() == null;
    if (missing && options.create()) {
      File file = new File(newInode(), options.mode() & 07777, nowNanos.getAsLong());
      place.parent.entries.put(place.name, file);
      place.parent.modified(nowNanos.getAsLong());
      return new MemoryWritableFile(this, path, file);
    }
    if (!missing && options.exclusive()) {
      throw fault(ErrorCode.EXISTS, "openWrite", path);
    }
    File file = fileAt("openWrite", path);
    if (options.truncate()) {
      truncate(file, 0);
    }
    return new MemoryWritableFile(this, path, file);
  }

  @Override
  public synchronized NewFile begin(String path, int mode) {
    checkFree("begin", path);
    File file = new File(newInode(), mode & 07777, nowNanos.getAsLong());
    file.nlink = 0;
    return new MemoryNewFile(this, path, file);
  }

  private Place checkFree(String operation, String path) {
    Place place = placeOf(operation, path);
    if (place.name.isEmpty() || place.found() instanceof Directory) {
      throw fault(ErrorCode.IS_A_DIRECTORY, operation, path);
    }
    return place;
  }

  /** Gives a file without a name its name. */
  synchronized FileStat publish(String path, File file, AttributeChange as) {
    Place place = checkFree("publish", path);
    if (place.found() != null) {
      detach(place);
    }
    file.nlink = 1;
    place.parent.entries.put(place.name, file);
    place.parent.modified(nowNanos.getAsLong());
    return change(file, as);
  }

  private File fileAt(String operation, String path) {
    return switch (resolve(operation, path, true)) {
      case File file -> file;
      case Directory _ -> throw fault(ErrorCode.IS_A_DIRECTORY, operation, path);
      case Symlink _ -> throw new IllegalStateException("a followed path is no link");
    };
  }

  @Override
  public CompletableFuture<Void> read(List<ReadRange> ranges) {
    List<CompletableFuture<Long>> reads = new ArrayList<>();
    for (ReadRange range : ranges) {
      if (range.offset() + range.into().byteSize() > range.file().refresh()) {
        return CompletableFuture.failedFuture(
            fault(
                ErrorCode.INVALID_ARGUMENT,
                "read",
                range.file().path()
                    + " offset="
                    + range.offset()
                    + " bytes="
                    + range.into().byteSize()
                    + " (past the end)"));
      }
      reads.add(range.file().read(range.offset(), range.into()));
    }
    return CompletableFuture.allOf(reads.toArray(CompletableFuture[]::new));
  }

  @Override
  public List<CompletableFuture<Void>> readEach(List<ReadRange> ranges) {
    return ranges.stream().map(range -> read(List.of(range))).toList();
  }

  @Override
  public synchronized SpaceUsage usage() {
    return new SpaceUsage(capacityBytes, capacityBytes - usedBytes, inodes);
  }

  @Override
  public synchronized void close() {
    closed = true;
  }

  // What open files do.

  synchronized void opened(File file) {
    file.opened++;
  }

  synchronized void released(File file) {
    file.opened--;
    collect(file);
  }

  synchronized long length(File file) {
    return file.length();
  }

  synchronized long read(File file, long offset, MemorySegment into) {
    return file.bytes.read(offset, into);
  }

  synchronized void write(File file, String path, long offset, MemorySegment from) {
    long added = file.bytes.newBytes(offset, from.byteSize());
    if (usedBytes + added > capacityBytes) {
      throw fault(ErrorCode.NO_SPACE, "write", path + " offset=" + offset);
    }
    usedBytes += added;
    file.bytes.write(offset, from);
    file.modified(nowNanos.getAsLong());
  }

  synchronized void truncate(File file, long length) {
    usedBytes -= file.bytes.storedBytes();
    file.bytes.truncate(length);
    usedBytes += file.bytes.storedBytes();
    file.modified(nowNanos.getAsLong());
  }

  // Paths.

  /** A name in a directory, whether or not anything is there. An empty name is the root. */
  private record Place(Directory parent, String name, String path) {
    @Nullable MemoryInode found() {
      return name.isEmpty() ? parent : parent.entries.get(name);
    }

    MemoryInode required(String operation) {
      MemoryInode inode = found();
      if (inode == null) {
        throw fault(ErrorCode.NOT_FOUND, operation, path);
      }
      return inode;
    }
  }

  private Place placeOf(String operation, String path) {
    if (closed) {
      throw fault(ErrorCode.SHUTTING_DOWN, operation, path);
    }
    List<String> names = PathNames.components(operation, path);
    if (names.isEmpty()) {
      return new Place(root, "", path);
    }
    MemoryInode parent = walk(operation, path, names.subList(0, names.size() - 1), true);
    return new Place(directory(parent, operation, path), names.getLast(), path);
  }

  private Place vacant(String operation, String path) {
    Place place = placeOf(operation, path);
    if (place.found() != null) {
      throw fault(ErrorCode.EXISTS, operation, path);
    }
    return place;
  }

  private MemoryInode resolve(String operation, String path, boolean follow) {
    if (closed) {
      throw fault(ErrorCode.SHUTTING_DOWN, operation, path);
    }
    return walk(operation, path, PathNames.components(operation, path), follow);
  }

  /** Follows names from the root; links on the way always, a link at the end if asked. */
  private MemoryInode walk(String operation, String path, List<String> names, boolean follow) {
    Deque<String> left = new ArrayDeque<>(names);
    MemoryInode at = root;
    int links = 0;
    while (!left.isEmpty()) {
      Directory directory = directory(at, operation, path);
      String name = left.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      MemoryInode next = name.equals("..") ? directory.parent : directory.entries.get(name);
      if (next == null) {
        throw fault(ErrorCode.NOT_FOUND, operation, path);
      }
      if (!(next instanceof Symlink link) || (left.isEmpty() && !follow)) {
        at = next;
        continue;
      }
      if (++links > SYMLINKS_MAX) {
        throw fault(ErrorCode.TOO_MANY_SYMLINKS, operation, path);
      }
      List.of(link.target.split("/")).reversed().forEach(left::push);
      at = link.target.startsWith("/") ? root : directory;
    }
    return at;
  }

  private static Directory directory(MemoryInode inode, String operation, String path) {
    if (inode instanceof Directory directory) {
      return directory;
    }
    throw fault(ErrorCode.NOT_A_DIRECTORY, operation, path);
  }

  private Directory makeDirectory(Directory parent, String name, int mode) {
    long now = nowNanos.getAsLong();
    Directory made = new Directory(newInode(), mode, now, parent);
    parent.entries.put(name, made);
    parent.nlink++;
    parent.modified(now);
    return made;
  }

  private InodeId newInode() {
    inodes++;
    return new InodeId(++lastInode);
  }

  static LuciolaException fault(ErrorCode code, String operation, String path) {
    return new LuciolaException(code, operation + ": path=" + path);
  }
}
