package luciola.cli.soak.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import luciola.client.AttributeChange;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.LuciolaFileSystem;
import luciola.client.NewFile;
import luciola.client.OpenOptions;
import luciola.client.ReadRange;
import luciola.client.ReadableFile;
import luciola.client.SpaceUsage;
import luciola.client.WritableFile;
import luciola.protocol.id.InodeId;

/** A file system with one mistake, made again and again. */
final class LyingFileSystem implements LuciolaFileSystem {
  /** Every so many calls it lies. */
  private static final int EVERY = 40;

  enum Lie {
    NONE,
    LOSES_A_WRITE,
    SERVES_AN_OLD_BLOCK,
    TEARS_A_WRITE,
    WRITES_TO_A_NEIGHBOUR,
    IGNORES_A_TRUNCATE,
    FORGETS_A_FILE,
    DOES_A_RENAME_TWICE,
    LOSES_A_LINK,
    SHOWS_AN_OLD_LIST
  }

  private final LuciolaFileSystem truth;
  private final Lie lie;
  private final AtomicLong calls = new AtomicLong();
  private final Map<String, byte[]> before = new ConcurrentHashMap<>();
  private final Map<String, List<DirectoryEntry>> listed = new ConcurrentHashMap<>();

  LyingFileSystem(LuciolaFileSystem truth, Lie lie) {
    this.truth = truth;
    this.lie = lie;
  }

  private boolean lies(Lie which) {
    return lie == which && calls.incrementAndGet() % EVERY == 0;
  }

  @Override
  public FileStat stat(String path) {
    return truth.stat(path);
  }

  @Override
  public Optional<FileStat> find(String path) {
    return truth.find(path);
  }

  @Override
  public FileStat lstat(String path) {
    return truth.lstat(path);
  }

  @Override
  public FileStat mkdir(String path, int mode) {
    return truth.mkdir(path, mode);
  }

  @Override
  public FileStat mkdirs(String path) {
    return truth.mkdirs(path);
  }

  @Override
  public List<DirectoryEntry> list(String path) {
    if (lie != Lie.SHOWS_AN_OLD_LIST) {
      return truth.list(path);
    }
    List<DirectoryEntry> old = listed.computeIfAbsent(path, truth::list);
    return lies(lie) ? old : truth.list(path);
  }

  @Override
  public void rename(String from, String to) {
    truth.rename(from, to);
  }

  @Override
  public void renameNoReplace(String from, String to) {
    truth.renameNoReplace(from, to);
    if (lies(Lie.DOES_A_RENAME_TWICE)) {
      truth.renameNoReplace(from, to);
    }
  }

  @Override
  public void remove(String path) {
    truth.remove(path);
  }

  @Override
  public void removeRecursively(String path) {
    truth.removeRecursively(path);
  }

  @Override
  public void link(String existing, String newPath) {
    truth.link(existing, newPath);
  }

  @Override
  public void symlink(String target, String path) {
    if (!lies(Lie.LOSES_A_LINK)) {
      truth.symlink(target, path);
    }
  }

  @Override
  public String readLink(String path) {
    return truth.readLink(path);
  }

  @Override
  public FileStat setAttributes(String path, AttributeChange change) {
    return truth.setAttributes(path, change);
  }

  @Override
  public FileStat lsetAttributes(String path, AttributeChange change) {
    return truth.lsetAttributes(path, change);
  }

  @Override
  public ReadableFile openRead(String path) {
    if (lies(Lie.FORGETS_A_FILE)) {
      truth.remove(path);
    }
    return new Reading(truth.openRead(path));
  }

  @Override
  public WritableFile openWrite(String path, OpenOptions options) {
    return new Writing(truth.openWrite(path, options));
  }

  @Override
  public NewFile begin(String path, int mode) {
    return truth.begin(path, mode);
  }

  @Override
  public List<CompletableFuture<Void>> readEach(List<ReadRange> ranges) {
    return ranges.stream().map(range -> read(List.of(range))).toList();
  }

  @Override
  public CompletableFuture<Void> read(List<ReadRange> ranges) {
    return truth.read(
        ranges.stream()
            .map(
                range -> new ReadRange(((Reading) range.file()).file, range.offset(), range.into()))
            .toList());
  }

  @Override
  public SpaceUsage usage() {
    return truth.usage();
  }

  @Override
  public void close() {
    // The truth is shared.
  }

  private final class Reading implements ReadableFile {
    private final ReadableFile file;

    Reading(ReadableFile file) {
      this.file = file;
    }

    @Override
    public String path() {
      return file.path();
    }

    @Override
    public InodeId inode() {
      return file.inode();
    }

    @Override
    public long length() {
      return file.length();
    }

    @Override
    public long refresh() {
      return file.refresh();
    }

    @Override
    public CompletableFuture<Long> read(long offset, MemorySegment into) {
      CompletableFuture<Long> right = file.read(offset, into);
      byte[] old = before.get(file.inode() + "@" + offset);
      if (old != null && old.length <= into.byteSize() && lies(Lie.SERVES_AN_OLD_BLOCK)) {
        right.join();
        MemorySegment.copy(old, 0, into, ValueLayout.JAVA_BYTE, 0, old.length);
        return CompletableFuture.completedFuture(into.byteSize());
      }
      return right;
    }

    @Override
    public void close() {
      file.close();
    }
  }

  private final class Writing implements WritableFile {
    private final WritableFile file;

    Writing(WritableFile file) {
      this.file = file;
    }

    @Override
    public String path() {
      return file.path();
    }

    @Override
    public InodeId inode() {
      return file.inode();
    }

    @Override
    public long length() {
      return file.length();
    }

    @Override
    public void write(long offset, MemorySegment from) {
      if (lies(Lie.LOSES_A_WRITE)) {
        return;
      }
      if (lies(Lie.TEARS_A_WRITE)) {
        file.write(offset, from.asSlice(0, from.byteSize() / 2));
        return;
      }
      if (lies(Lie.WRITES_TO_A_NEIGHBOUR)) {
        file.write(offset + from.byteSize(), from);
        return;
      }
      file.write(offset, from);
      if (lie == Lie.SERVES_AN_OLD_BLOCK) {
        before.putIfAbsent(file.inode() + "@" + offset, from.toArray(ValueLayout.JAVA_BYTE));
      }
    }

    @Override
    public void truncate(long length) {
      if (!lies(Lie.IGNORES_A_TRUNCATE)) {
        file.truncate(length);
      }
    }

    @Override
    public void sync() {
      file.sync();
    }

    @Override
    public void close() {
      file.close();
    }
  }
}
