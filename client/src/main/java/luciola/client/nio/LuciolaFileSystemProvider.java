package luciola.client.nio;

import com.google.common.base.Splitter;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.LinkOption;
import java.nio.file.NotLinkException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.spi.FileSystemProvider;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.client.PathNames;
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
    return connected(uri).getPath(uri.getPath().isEmpty() ? "/" : uri.getPath());
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

  static LuciolaFileSystem files(Path path) {
    return LuciolaPath.of(path).files().files();
  }

  static String plain(Path path) throws IOException {
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
    LuciolaNioFileSystem fileSystem = LuciolaPath.of(path).files();
    LuciolaFileSystem files = fileSystem.files();
    String name = plain(path);
    if (mode.nofollow() && isLink(files, name)) {
      throw new FileSystemException(name, null, "a symbolic link, and links are not followed");
    }
    WritableFile writer =
        mode.write() ? IoErrors.translated(name, () -> openWrite(files, name, mode)) : null;
    ReadableFile reader = null;
    try {
      reader = mode.read() ? files.openRead(name) : null;
    } catch (LuciolaException e) {
      if (writer == null && e.code() == ErrorCode.IS_A_DIRECTORY) {
        return new DirectoryChannel(name);
      }
      throw IoErrors.of(name, e);
    } finally {
      if (mode.read() && reader == null && writer != null) {
        writer.close();
      }
    }
    FileChannel channel = new LuciolaFileChannel(fileSystem, name, reader, writer, mode);
    fileSystem.opened(channel);
    return channel;
  }

  /** A link that leads to nothing yet is followed too. */
  private static WritableFile openWrite(LuciolaFileSystem files, String name, OpenMode mode) {
    try {
      return files.openWrite(name, mode.options());
    } catch (LuciolaException e) {
      if (e.code() != ErrorCode.NOT_FOUND
          || !mode.options().create()
          || mode.options().exclusive()
          || !isLink(files, name)) {
        throw e;
      }
      List<String> names = PathNames.components("openWrite", name);
      return files.openWrite(PathNames.join(new RealPaths(files).made(names)), mode.options());
    }
  }

  private static boolean isLink(LuciolaFileSystem files, String name) {
    try {
      return files.lstat(name).type() == FileType.SYMLINK;
    } catch (LuciolaException e) {
      return false; // What is wrong is said when it is opened.
    }
  }

  /** Reads ahead, so that a reader of small pieces asks seldom. */
  @Override
  public InputStream newInputStream(Path path, OpenOption... options) throws IOException {
    Set<OpenOption> wanted = new HashSet<>(Arrays.asList(options));
    if (wanted.contains(StandardOpenOption.WRITE) || wanted.contains(StandardOpenOption.APPEND)) {
      throw new UnsupportedOperationException("an input stream does not write");
    }
    wanted.add(StandardOpenOption.READ);
    FileChannel channel = newFileChannel(path, wanted);
    int buffer = Math.clamp(channel.size(), 8192, READ_AHEAD_BYTES);
    return new BufferedInputStream(Channels.newInputStream(channel), buffer);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path directory, DirectoryStream.Filter<? super Path> filter) throws IOException {
    String name = plain(directory);
    List<DirectoryEntry> entries = IoErrors.translated(name, () -> files(directory).list(name));
    return new Listing(directory, entries.iterator(), filter);
  }

  @Override
  public void createDirectory(Path directory, FileAttribute<?>... attributes) throws IOException {
    String name = plain(directory);
    int mode = OpenMode.mode(0755, attributes);
    IoErrors.translated(name, () -> files(directory).mkdir(name, mode));
  }

  @Override
  public void createSymbolicLink(Path link, Path target, FileAttribute<?>... attributes)
      throws IOException {
    if (attributes.length > 0) {
      throw new UnsupportedOperationException("a symbolic link is made without attributes");
    }
    String name = plain(link);
    String leadsTo = LuciolaPath.of(target).toString();
    IoErrors.translate(name, () -> files(link).symlink(leadsTo, name));
  }

  @Override
  public void createLink(Path link, Path existing) throws IOException {
    if (LuciolaPath.of(link).files() != LuciolaPath.of(existing).files()) {
      throw new FileSystemException(link.toString(), existing.toString(), "two file systems");
    }
    String name = plain(link);
    String known = plain(existing);
    IoErrors.translate(name, () -> files(link).link(known, name));
  }

  @Override
  public Path readSymbolicLink(Path link) throws IOException {
    String name = plain(link);
    try {
      return link.getFileSystem().getPath(files(link).readLink(name));
    } catch (LuciolaException e) {
      if (e.code() == ErrorCode.INVALID_ARGUMENT) {
        throw new NotLinkException(name);
      }
      throw IoErrors.of(name, e);
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    String name = plain(path);
    IoErrors.translate(name, () -> files(path).remove(name));
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    new Copies(this).copy(source, target, options);
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    new Copies(this).move(source, target, options);
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    if (path.equals(other)) {
      return true;
    }
    if (!(other instanceof LuciolaPath that) || that.files() != LuciolaPath.of(path).files()) {
      return false;
    }
    return view(path, true)
        .readAttributes()
        .fileKey()
        .equals(view(other, true).readAttributes().fileKey());
  }

  @Override
  public boolean isHidden(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().startsWith(".");
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    checkAccess(path);
    return path.getFileSystem().getFileStores().iterator().next();
  }

  /** Only that it exists: permissions are for the servers to check. */
  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    FileStat stat = view(path, true).readAttributes().stat();
    if (Arrays.asList(modes).contains(AccessMode.EXECUTE)
        && stat.isFile()
        && (stat.mode() & 0111) == 0) {
      throw new AccessDeniedException(path.toString());
    }
  }

  private static boolean follow(LinkOption... options) {
    return !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS);
  }

  static LuciolaAttributeView view(Path path, boolean follow) {
    return new LuciolaAttributeView(LuciolaPath.of(path), follow, "posix");
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    String name =
        type == BasicFileAttributeView.class
            ? "basic"
            : type == PosixFileAttributeView.class
                ? "posix"
                : type == FileOwnerAttributeView.class ? "owner" : "";
    return name.isEmpty()
        ? null
        : type.cast(new LuciolaAttributeView(LuciolaPath.of(path), follow(options), name));
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
    AttributeNames names = AttributeNames.of(wanted);
    return names.of(view(path, follow(options)).readAttributes());
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    view(path, follow(options)).set(AttributeNames.of(attribute).one(), value);
  }
}
