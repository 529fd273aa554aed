package luciola.client.nio;

import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Set;
import luciola.client.LuciolaFileSystem;

/** A {@link LuciolaFileSystem} as {@code java.nio.file} sees it. Closing it closes that one. */
public final class LuciolaNioFileSystem extends FileSystem {
  private final LuciolaFileSystemProvider provider;
  private final String authority;
  private final LuciolaFileSystem files;
  private volatile boolean open = true;

  LuciolaNioFileSystem(
      LuciolaFileSystemProvider provider, String authority, LuciolaFileSystem files) {
    this.provider = provider;
    this.authority = authority;
    this.files = files;
  }

  /** What this stands for. */
  public LuciolaFileSystem files() {
    return files;
  }

  /** Its place in URIs: {@code host:port}, several divided by commas. */
  String authority() {
    return authority;
  }

  @Override
  public FileSystemProvider provider() {
    return provider;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      provider.forget(this);
      files.close();
    }
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public String getSeparator() {
    return "/";
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    return List.of(LuciolaPath.parse(this, "/"));
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    return List.of(new LuciolaFileStore(files, authority));
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return Set.of("basic", "owner", "posix");
  }

  @Override
  public Path getPath(String first, String... more) {
    return LuciolaPath.parse(this, more.length == 0 ? first : join(first, more));
  }

  private static String join(String first, String[] more) {
    String rest = String.join("/", more);
    return first.isEmpty() ? rest : first + "/" + rest;
  }

  /** Globs and patterns as the platform understands them: paths look the same there. */
  @Override
  public PathMatcher getPathMatcher(String syntaxAndPattern) {
    PathMatcher platform = FileSystems.getDefault().getPathMatcher(syntaxAndPattern);
    return path -> platform.matches(FileSystems.getDefault().getPath(path.toString()));
  }

  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    return new UserPrincipalLookupService() {
      @Override
      public UserPrincipal lookupPrincipalByName(String name)
          throws UserPrincipalNotFoundException {
        return lookupPrincipalByGroupName(name);
      }

      @Override
      public GroupPrincipal lookupPrincipalByGroupName(String name)
          throws UserPrincipalNotFoundException {
        try {
          return new LuciolaAttributes.Principal(Integer.parseInt(name));
        } catch (NumberFormatException e) {
          throw new UserPrincipalNotFoundException(name);
        }
      }
    };
  }

  @Override
  public WatchService newWatchService() {
    throw new UnsupportedOperationException("no watch service");
  }
}
