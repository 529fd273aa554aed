package luciola.client.nio;

import com.google.common.base.Ascii;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import luciola.client.LuciolaFileSystem;
import luciola.client.cluster.ClusterFileSystem;
import luciola.grpc.v1.Inode;
import luciola.protocol.id.InodeId;

/**
 * A {@link LuciolaFileSystem} as {@code java.nio.file} sees it. Closing it closes the channels that
 * are open and that one.
 */
public final class LuciolaNioFileSystem extends FileSystem {
  private final LuciolaFileSystemProvider provider;
  private final String authority;
  private final LuciolaFileSystem files;
  private final LuciolaFileStore store;
  private final Bounces bounces = new Bounces();
  private final ChannelLocks locks;
  private final Set<FileChannel> channels = ConcurrentHashMap.newKeySet();
  private volatile boolean open = true;

  LuciolaNioFileSystem(
      LuciolaFileSystemProvider provider, String authority, LuciolaFileSystem files) {
    this.provider = provider;
    this.authority = authority;
    this.files = files;
    this.store = new LuciolaFileStore(files, authority);
    this.locks =
        new ChannelLocks(
            files instanceof ClusterFileSystem cluster ? new ServerLocks(cluster.ownLocks()) : null,
            new LockedFiles());
  }

  private final class LockedFiles implements ChannelLocks.Files {
    @Override
    public void publish(InodeId file) throws IOException {
      for (LuciolaFileChannel channel : of(file)) {
        try {
          channel.publish();
        } catch (IOException e) {
          if (channel.isOpen()) {
            throw e;
          }
        }
      }
    }

    @Override
    public void learn(InodeId file, Inode inode) {
      of(file).forEach(channel -> channel.learn(inode));
    }

    private List<LuciolaFileChannel> of(InodeId file) {
      return channels.stream()
          .filter(each -> each instanceof LuciolaFileChannel)
          .map(each -> (LuciolaFileChannel) each)
          .filter(channel -> channel.isOf(file))
          .toList();
    }
  }

  /** What this stands for. */
  public LuciolaFileSystem files() {
    if (!open) {
      throw new ClosedFileSystemException();
    }
    return files;
  }

  /** Also while this closes. */
  void remove(String path) {
    files.remove(path);
  }

  Bounces bounces() {
    return bounces;
  }

  ChannelLocks locks() {
    return locks;
  }

  void opened(FileChannel channel) {
    channels.add(channel);
  }

  void closed(FileChannel channel) {
    channels.remove(channel);
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
  public void close() throws IOException {
    synchronized (this) {
      if (!open) {
        return;
      }
      open = false;
    }
    provider.forget(this);
    IOException failure = null;
    for (FileChannel channel : channels) {
      try {
        channel.close();
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    files.close();
    if (failure != null) {
      throw failure;
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
    return List.of(store);
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return AttributeNames.VIEWS;
  }

  @Override
  public Path getPath(String first, String... more) {
    return LuciolaPath.parse(this, more.length == 0 ? first : join(first, more));
  }

  private static String join(String first, String[] more) {
    return Stream.concat(Stream.of(first), Stream.of(more))
        .filter(part -> !part.isEmpty())
        .collect(Collectors.joining("/"));
  }

  @Override
  public PathMatcher getPathMatcher(String syntaxAndPattern) {
    int colon = syntaxAndPattern.indexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException("not of the form syntax:pattern: " + syntaxAndPattern);
    }
    String rest = syntaxAndPattern.substring(colon + 1);
    Pattern pattern =
        switch (Ascii.toLowerCase(syntaxAndPattern.substring(0, colon))) {
          case "glob" -> GlobPattern.compile(rest);
          case "regex" -> Pattern.compile(rest);
          default -> throw new UnsupportedOperationException("unknown syntax: " + syntaxAndPattern);
        };
    return path -> pattern.matcher(path.toString()).matches();
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
