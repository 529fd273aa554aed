package luciola.client.nio;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import luciola.client.PathNames;
import org.jspecify.annotations.Nullable;

/**
 * A path: names, from the root or relative to it. The working directory of every file system is its
 * root. {@code .} and {@code ..} are kept until {@link #normalize}; what the file system is asked
 * for means what POSIX says, the parent of where a link leads.
 */
final class LuciolaPath implements Path {
  private static final Splitter NAMES = Splitter.on('/').omitEmptyStrings();

  private final LuciolaNioFileSystem fileSystem;
  private final boolean absolute;
  private final List<String> names;

  private LuciolaPath(LuciolaNioFileSystem fileSystem, boolean absolute, List<String> names) {
    this.fileSystem = fileSystem;
    this.absolute = absolute;
    this.names = List.copyOf(names);
  }

  static LuciolaPath parse(LuciolaNioFileSystem fileSystem, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new InvalidPathException(text, "NUL in a path");
    }
    List<String> names = NAMES.splitToList(text);
    boolean absolute = text.startsWith("/");
    return new LuciolaPath(
        fileSystem, absolute, names.isEmpty() && !absolute ? List.of("") : names);
  }

  static LuciolaPath of(Path path) {
    if (path instanceof LuciolaPath own) {
      return own;
    }
    throw new ProviderMismatchException("not a path of luciola: " + path);
  }

  /** The absolute form that the file system takes, without {@code .} and {@code ..}. */
  String plain() throws IOException {
    List<String> absolutely = isEmpty() ? List.of() : names;
    if (!hasDots()) {
      return PathNames.join(absolutely);
    }
    return PathNames.join(
        IoErrors.translated(toString(), () -> new RealPaths(fileSystem.files()).plain(absolutely)));
  }

  private boolean hasDots() {
    return names.contains(".") || names.contains("..");
  }

  @Override
  public FileSystem getFileSystem() {
    return fileSystem;
  }

  LuciolaNioFileSystem files() {
    return fileSystem;
  }

  @Override
  public boolean isAbsolute() {
    return absolute;
  }

  @Override
  public @Nullable Path getRoot() {
    return absolute ? new LuciolaPath(fileSystem, true, List.of()) : null;
  }

  @Override
  public @Nullable Path getFileName() {
    return names.isEmpty() ? null : relative(names.subList(names.size() - 1, names.size()));
  }

  @Override
  public @Nullable Path getParent() {
    if (names.isEmpty() || (names.size() == 1 && !absolute)) {
      return null;
    }
    return new LuciolaPath(fileSystem, absolute, names.subList(0, names.size() - 1));
  }

  @Override
  public int getNameCount() {
    return names.size();
  }

  @Override
  public Path getName(int index) {
    return subpath(index, index + 1);
  }

  @Override
  public Path subpath(int begin, int end) {
    if (begin < 0 || end > names.size() || begin >= end) {
      throw new IllegalArgumentException("bad range: begin=" + begin + " end=" + end);
    }
    return relative(names.subList(begin, end));
  }

  private LuciolaPath relative(List<String> some) {
    return new LuciolaPath(fileSystem, false, some);
  }

  @Override
  public boolean startsWith(Path other) {
    return other instanceof LuciolaPath that
        && that.fileSystem == fileSystem
        && that.absolute == absolute
        && that.names.size() <= names.size()
        && names.subList(0, that.names.size()).equals(that.names);
  }

  @Override
  public boolean endsWith(Path other) {
    return other instanceof LuciolaPath that
        && that.fileSystem == fileSystem
        && (!that.absolute || (absolute && that.names.size() == names.size()))
        && that.names.size() <= names.size()
        && names.subList(names.size() - that.names.size(), names.size()).equals(that.names);
  }

  @Override
  public Path normalize() {
    if (isEmpty()) {
      return this;
    }
    List<String> kept = kept();
    return new LuciolaPath(fileSystem, absolute, kept.isEmpty() && !absolute ? List.of("") : kept);
  }

  /** The names without {@code .} and what {@code ..} takes back. */
  private List<String> kept() {
    List<String> kept = new ArrayList<>();
    for (String name : names) {
      if (name.equals("..") && !kept.isEmpty() && !kept.getLast().equals("..")) {
        kept.removeLast();
      } else if (!name.isEmpty() && !name.equals(".") && !(name.equals("..") && absolute)) {
        kept.add(name);
      }
    }
    return kept;
  }

  @Override
  public Path resolve(Path other) {
    LuciolaPath that = of(other);
    if (that.absolute || isEmpty()) {
      return that;
    }
    if (that.isEmpty()) {
      return this;
    }
    List<String> joined = new ArrayList<>(names);
    joined.addAll(that.names);
    return new LuciolaPath(fileSystem, absolute, joined);
  }

  private boolean isEmpty() {
    return !absolute && names.equals(List.of(""));
  }

  @Override
  public Path relativize(Path other) {
    LuciolaPath that = of(other);
    if (that.equals(this)) {
      return relative(List.of(""));
    }
    if (that.absolute != absolute) {
      throw new IllegalArgumentException("one path is absolute: " + this + " " + other);
    }
    if (isEmpty()) {
      return that;
    }
    boolean dots = hasDots() || that.hasDots();
    List<String> from = dots ? kept() : names;
    List<String> to = dots ? that.kept() : that.isEmpty() ? List.of() : that.names;
    int common = 0;
    while (common < Math.min(from.size(), to.size()) && from.get(common).equals(to.get(common))) {
      common++;
    }
    List<String> way = new ArrayList<>();
    for (String name : from.subList(common, from.size())) {
      if (name.equals("..")) {
        throw new IllegalArgumentException("no way from above: " + this + " " + other);
      }
      way.add("..");
    }
    way.addAll(to.subList(common, to.size()));
    return relative(way.isEmpty() ? List.of("") : way);
  }

  @Override
  public URI toUri() {
    try {
      return new URI(
          LuciolaFileSystemProvider.SCHEME,
          fileSystem.authority(),
          toAbsolutePath().toString(),
          null,
          null);
    } catch (URISyntaxException e) {
      throw new IllegalStateException("no URI for " + this, e);
    }
  }

  @Override
  public Path toAbsolutePath() {
    return absolute ? this : new LuciolaPath(fileSystem, true, isEmpty() ? List.of() : names);
  }

  @Override
  public Path toRealPath(LinkOption... options) throws IOException {
    RealPaths real = new RealPaths(fileSystem.files());
    boolean follow = !Arrays.asList(options).contains(LinkOption.NOFOLLOW_LINKS);
    return IoErrors.translated(
        toString(),
        () -> {
          List<String> found = follow ? real.follow(names) : real.withoutDots(names);
          if (!follow) {
            var _ = fileSystem.files().lstat(PathNames.join(real.plain(found)));
          }
          return new LuciolaPath(fileSystem, true, found);
        });
  }

  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    throw new UnsupportedOperationException("no watch service");
  }

  @Override
  public int compareTo(Path other) {
    return Arrays.compareUnsigned(
        toString().getBytes(StandardCharsets.UTF_8),
        ((LuciolaPath) other).toString().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LuciolaPath that
        && that.fileSystem == fileSystem
        && that.absolute == absolute
        && that.names.equals(names);
  }

  @Override
  public int hashCode() {
    return 31 * names.hashCode() + Boolean.hashCode(absolute);
  }

  @Override
  public String toString() {
    return (absolute ? "/" : "") + String.join("/", names);
  }
}
