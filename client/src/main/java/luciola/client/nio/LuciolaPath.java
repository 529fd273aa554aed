package luciola.client.nio;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A path: names, from the root or relative to it. The working directory of every file system is its
 * root. {@code .} and {@code ..} are kept until {@link #normalize}, which is applied before the
 * file system is asked.
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

  /** The absolute, plain form that the file system takes. */
  String plain() {
    return toAbsolutePath().normalize().toString();
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
    List<String> kept = new ArrayList<>();
    for (String name : names) {
      if (name.equals("..") && !kept.isEmpty() && !kept.getLast().equals("..")) {
        kept.removeLast();
      } else if (!name.equals(".") && !(name.equals("..") && absolute)) {
        kept.add(name);
      }
    }
    return new LuciolaPath(fileSystem, absolute, kept.isEmpty() && !absolute ? List.of("") : kept);
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
    if (that.absolute != absolute) {
      throw new IllegalArgumentException("one path is absolute: " + this + " " + other);
    }
    List<String> from = isEmpty() ? List.of() : names;
    List<String> to = that.isEmpty() ? List.of() : that.names;
    int common = 0;
    while (common < Math.min(from.size(), to.size()) && from.get(common).equals(to.get(common))) {
      common++;
    }
    List<String> way = new ArrayList<>();
    for (int i = common; i < from.size(); i++) {
      way.add("..");
    }
    way.addAll(to.subList(common, to.size()));
    return relative(way.isEmpty() ? List.of("") : way);
  }

  @Override
  public URI toUri() {
    try {
      return new URI(LuciolaFileSystemProvider.SCHEME, fileSystem.authority(), plain(), null, null);
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
    fileSystem.provider().checkAccess(this);
    return toAbsolutePath().normalize();
  }

  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    throw new UnsupportedOperationException("no watch service");
  }

  @Override
  public int compareTo(Path other) {
    return toString().compareTo(of(other).toString());
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
