package luciola.client.nio;

import com.google.common.base.Splitter;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import luciola.client.AttributeChange;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.client.ReadableFile;
import luciola.client.WritableFile;
import luciola.client.cluster.ClusterFileSystem;
import luciola.client.cluster.ClusterOptions;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Finds file systems by {@code luciola://host:port/path}, where the address is that of a
 * meta-server (several divided by commas). {@code Path.of(uri)} connects on first use; {@code
 * FileSystems.newFileSystem(uri, env)} connects with {@code uid}, {@code gid} (integers) and {@code
 * zone} (a string) of {@code env}.
 */
public final class LuciolaFileSystemProvider extends FileSystemProvider {
  /** Of the URIs. */
  public static final String SCHEME = "luciola";

  private static final int READ_AHEAD_BYTES = 1 << 20;
  private static final int COPY_BYTES = 4 << 20;

  private final Map<String, LuciolaNioFileSystem> open = new HashMap<>();

  /** For the service loader; programs use {@code FileSystems} or {@link #over}. */
  public LuciolaFileSystemProvider() {}

  /**
   * A file system over any implementation, without a connection of its own.
   *
   * @param authority its place in URIs
   */
  public static LuciolaNioFileSystem over(LuciolaFileSystem files, String authority) {
    LuciolaFileSystemProvider provider = new LuciolaFileSystemProvider();
    LuciolaNioFileSystem made = new LuciolaNioFileSystem(provider, authority, files);
    provider.open.put(authority, made);
    return made;
  }

  @Override
  public String getScheme() {
    return SCHEME;
  }

  private static String authority(URI uri) {
    if (!SCHEME.equalsIgnoreCase(uri.getScheme()) || uri.getAuthority() == null) {
      throw new IllegalArgumentException("not of the form luciola://host:port/path: " + uri);
    }
    return uri.getAuthority();
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> env) throws IOException {
    String authority = authority(uri);
    synchronized (open) {
      if (open.containsKey(authority)) {
        throw new FileSystemAlreadyExistsException(authority);
      }
    }
    ClusterOptions options =
        ClusterOptions.of(Splitter.on(',').splitToList(authority))
            .withIdentity(number(env, "uid"), number(env, "gid"));
    ClusterOptions zoned =
        env.get("zone") instanceof String zone ? options.withZone(zone) : options;
    ClusterFileSystem files =
        IoErrors.translated(uri.toString(), () -> ClusterFileSystem.connect(zoned));
    LuciolaNioFileSystem made = new LuciolaNioFileSystem(this, authority, files);
    synchronized (open) {
      if (open.putIfAbsent(authority, made) == null) {
        return made;
      }
    }
    files.close();
    throw new FileSystemAlreadyExistsException(authority);
  }

  private static int number(Map<String, ?> env, String name) {
    return env.get(name) instanceof Number number ? number.intValue() : 0;
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    synchronized (open) {
      LuciolaNioFileSystem known = open.get(authority(uri));
      if (known == null) {
        throw new FileSystemNotFoundException(uri.toString());
      }
      return known;
    }
  }

  @Override
  public Path getPath(URI uri) {
    return connected(uri).getPath(uri.getPath());
  }

  private FileSystem connected(URI uri) {
    try {
      return getFileSystem(uri);
    } catch (FileSystemNotFoundException missing) {
      try {
        return newFileSystem(uri, Map.of());
      } catch (FileSystemAlreadyExistsException raced) {
        return getFileSystem(uri);
      } catch (IOException e) {
        missing.addSuppressed(e);
        throw missing;
      }
    }
  }

  void forget(LuciolaNioFileSystem closed) {
    synchronized (open) {
      open.remove(closed.authority(), closed);
    }
  }

  private static LuciolaFileSystem files(Path path) {
    return LuciolaPath.of(path).files().files();
  }

  private static String plain(Path path) {
    return LuciolaPath.of(path).plain();
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    OpenMode mode = OpenMode.of(options, attributes);
    LuciolaFileSystem files = files(path);
    String name = plain(path);
    WritableFile writer =
        mode.write()
            ? IoErrors.translated(name, () -> files.openWrite(name, mode.options()))
            : null;
    ReadableFile reader = null;
    try {
      reader = mode.read() ? IoErrors.translated(name, () -> files.openRead(name)) : null;
    } finally {
      if (mode.read() && reader == null && writer != null) {
        writer.close();
      }
    }
    Runnable onClose = mode.deleteOnClose() ? () -> removeQuietly(files, name) : () -> {};
    return new LuciolaFileChannel(name, reader, writer, mode.append(), onClose);
  }

  private static void removeQuietly(LuciolaFileSystem files, String name) {
    try {
      files.remove(name);
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NOT_FOUND) {
        throw e;
      }
    }
  }

  /** Reads ahead, so that a reader of small pieces asks seldom. */
  @Override
  public InputStream newInputStream(Path path, OpenOption... options) throws IOException {
    if (Arrays.asList(options).contains(StandardOpenOption.WRITE)
        || Arrays.asList(options).contains(StandardOpenOption.APPEND)) {
      throw new UnsupportedOperationException("an input stream does not write");
    }
    FileChannel channel = newFileChannel(path, Set.of(StandardOpenOption.READ));
    int buffer = Math.clamp(channel.size(), 8192, READ_AHEAD_BYTES);
    return new BufferedInputStream(Channels.newInputStream(channel), buffer);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path directory, DirectoryStream.Filter<? super Path> filter) throws IOException {
    LuciolaFileSystem files = files(directory);
    List<DirectoryEntry> entries =
        IoErrors.translated(plain(directory), () -> files.list(plain(directory)));
    List<Path> accepted = new ArrayList<>();
    for (DirectoryEntry entry : entries) {
      Path path = directory.resolve(entry.name());
      try {
        if (filter.accept(path)) {
          accepted.add(path);
        }
      } catch (IOException e) {
        throw new DirectoryIteratorException(e);
      }
    }
    return new Listing(accepted.iterator());
  }

  /** Entries that were read at once. */
  private static final class Listing implements DirectoryStream<Path> {
    private @Nullable Iterator<Path> entries;

    Listing(Iterator<Path> entries) {
      this.entries = entries;
    }

    @Override
    public Iterator<Path> iterator() {
      Iterator<Path> once = entries;
      if (once == null) {
        throw new IllegalStateException("a directory stream is read once");
      }
      entries = null;
      return once;
    }

    @Override
    public void close() {
      entries = null;
    }
  }

  @Override
  public void createDirectory(Path directory, FileAttribute<?>... attributes) throws IOException {
    String name = plain(directory);
    LuciolaFileSystem files = files(directory);
    int mode = OpenMode.mode(-1, attributes);
    IoErrors.translated(name, () -> files.mkdir(name));
    if (mode >= 0) {
      IoErrors.translated(name, () -> files.setAttributes(name, AttributeChange.ofMode(mode)));
    }
  }

  @Override
  public void createSymbolicLink(Path link, Path target, FileAttribute<?>... attributes)
      throws IOException {
    OpenMode.mode(0, attributes);
    String name = plain(link);
    IoErrors.translate(name, () -> files(link).symlink(target.toString(), name));
  }

  @Override
  public void createLink(Path link, Path existing) throws IOException {
    IoErrors.translate(plain(link), () -> files(link).link(plain(existing), plain(link)));
  }

  @Override
  public Path readSymbolicLink(Path link) throws IOException {
    try {
      return link.getFileSystem().getPath(files(link).readLink(plain(link)));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.INVALID_ARGUMENT) {
        throw new NotLinkException(plain(link));
      }
      throw IoErrors.of(plain(link), e);
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    IoErrors.translate(plain(path), () -> files(path).remove(plain(path)));
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    List<CopyOption> wanted = Arrays.asList(options);
    if (wanted.contains(StandardCopyOption.ATOMIC_MOVE)) {
      throw new UnsupportedOperationException("ATOMIC_MOVE is for moves");
    }
    boolean follow = !wanted.contains(LinkOption.NOFOLLOW_LINKS);
    FileStat from = view(source, follow).readAttributes().stat();
    if (isSame(source, target)) {
      return;
    }
    makeRoom(target, wanted.contains(StandardCopyOption.REPLACE_EXISTING));
    switch (from.type()) {
      case DIRECTORY -> createDirectory(target);
      case SYMLINK ->
          createSymbolicLink(/* link= */ target, /* target= */ readSymbolicLink(source));
      case FILE -> copyBytes(source, target);
    }
    if (wanted.contains(StandardCopyOption.COPY_ATTRIBUTES) && from.type() != FileType.SYMLINK) {
      IoErrors.translate(
          plain(target),
          () -> {
            files(target).setAttributes(plain(target), AttributeChange.ofMode(from.mode()));
            files(target)
                .setAttributes(plain(target), AttributeChange.ofModified(from.modifiedNanos()));
          });
    }
  }

  private void makeRoom(Path target, boolean replace) throws IOException {
    if (!IoErrors.translated(plain(target), () -> exists(target))) {
      return;
    }
    if (!replace) {
      throw new FileAlreadyExistsException(target.toString());
    }
    delete(target);
  }

  private static boolean exists(Path path) {
    try {
      return files(path).lstat(plain(path)).nlink() >= 0;
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.NOT_FOUND || e.code() == ErrorCode.NOT_A_DIRECTORY) {
        return false;
      }
      throw e;
    }
  }

  private void copyBytes(Path source, Path target) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(COPY_BYTES);
    try (FileChannel in = newFileChannel(source, Set.of(StandardOpenOption.READ));
        FileChannel out =
            newFileChannel(
                target, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW))) {
      while (in.read(buffer) >= 0) {
        buffer.flip();
        out.write(buffer);
        buffer.clear();
      }
    }
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    List<CopyOption> wanted = Arrays.asList(options);
    boolean atomic = wanted.contains(StandardCopyOption.ATOMIC_MOVE);
    if (LuciolaPath.of(source).files() != LuciolaPath.of(target).files()) {
      if (atomic) {
        throw new AtomicMoveNotSupportedException(
            source.toString(), target.toString(), "two file systems");
      }
      copy(source, target, options);
      delete(source);
      return;
    }
    if (atomic) {
      rename(source, target, true);
    } else if (wanted.contains(StandardCopyOption.REPLACE_EXISTING)) {
      replaceByMove(source, target);
    } else if (!isSame(source, target)) {
      rename(source, target, false);
    }
  }

  /** A rename replaces only what is of the same kind; what is not goes first. */
  private void replaceByMove(Path source, Path target) throws IOException {
    try {
      rename(source, target, true);
    } catch (IOException e) {
      if (!(e.getCause() instanceof LuciolaException fault)
          || (fault.code() != ErrorCode.IS_A_DIRECTORY
              && fault.code() != ErrorCode.NOT_A_DIRECTORY)) {
        throw e;
      }
      delete(target);
      rename(source, target, true);
    }
  }

  private static void rename(Path source, Path target, boolean replace) throws IOException {
    LuciolaFileSystem files = files(source);
    IoErrors.translate(
        replace ? plain(source) : plain(target),
        () -> {
          if (replace) {
            files.rename(plain(source), plain(target));
          } else {
            files.renameNoReplace(plain(source), plain(target));
          }
        });
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    if (path.equals(other)) {
      return true;
    }
    if (!(other instanceof LuciolaPath that) || that.files() != LuciolaPath.of(path).files()) {
      return false;
    }
    return Files.readAttributes(path, BasicFileAttributes.class)
        .fileKey()
        .equals(Files.readAttributes(other, BasicFileAttributes.class).fileKey());
  }

  private boolean isSame(Path path, Path other) throws IOException {
    try {
      return isSameFile(path, other);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  @Override
  public boolean isHidden(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().startsWith(".");
  }

  @Override
  public FileStore getFileStore(Path path) {
    return path.getFileSystem().getFileStores().iterator().next();
  }

  /** Only that it exists: permissions are for the servers to check. */
  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    FileStat stat = IoErrors.translated(plain(path), () -> files(path).stat(plain(path)));
    if (Arrays.asList(modes).contains(AccessMode.EXECUTE)
        && stat.isFile()
        && (stat.mode() & 0111) == 0) {
      throw new AccessDeniedException(plain(path));
    }
  }

  private static boolean follow(LinkOption... options) {
    return !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS);
  }

  private static LuciolaAttributeView view(Path path, boolean follow) {
    return new LuciolaAttributeView(files(path), plain(path), follow, "posix");
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    if (type == BasicFileAttributeView.class
        || type == PosixFileAttributeView.class
        || type == FileOwnerAttributeView.class) {
      return type.cast(view(path, follow(options)));
    }
    return null;
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    if (type != BasicFileAttributes.class && type != PosixFileAttributes.class) {
      throw new UnsupportedOperationException("no such attributes: " + type);
    }
    return type.cast(view(path, follow(options)).readAttributes());
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String wanted, LinkOption... options)
      throws IOException {
    String names = wanted.substring(checkedView(wanted).length());
    Map<String, Object> all = view(path, follow(options)).readAttributes().byName();
    if (names.equals("*")) {
      return all;
    }
    Map<String, Object> some = new HashMap<>();
    for (String name : Splitter.on(',').split(names)) {
      Object value = all.get(name);
      if (value == null) {
        throw new IllegalArgumentException("no such attribute: " + name);
      }
      some.put(name, value);
    }
    return some;
  }

  /** The view's name with its colon, or nothing. */
  private static String checkedView(String attribute) {
    int colon = attribute.indexOf(':');
    String view = attribute.substring(0, colon + 1);
    if (!Set.of("", "basic:", "posix:", "owner:").contains(view)) {
      throw new UnsupportedOperationException("no such view: " + view);
    }
    return view;
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    view(path, follow(options)).set(attribute.substring(checkedView(attribute).length()), value);
  }
}
