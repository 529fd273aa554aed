package luciola.client.nio;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same operations on a directory of the machine and on one of Luciola: same results, same final
 * tree, and where one fails the other does, with that exception or one more exact.
 */
@SuppressWarnings(
    "StreamResourceLeak") // What a stream does after its close is one of the questions.
public abstract class SameAsLocalContract {
  private static final int SHOWN_MAX = 40;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path machine;

  private Path local = Path.of("");
  private Path ours = Path.of("");
  private final List<String> differences = new ArrayList<>();
  private int rounds;

  /** A new, empty directory of Luciola. */
  protected abstract Path newDirectory() throws IOException;

  /** Of so many combinations of a copy or move one is tried. */
  protected int every() {
    return 1;
  }

  @BeforeEach
  void fresh() throws IOException {
    local = Files.createDirectory(machine.resolve("round" + rounds++)).toRealPath();
    ours = newDirectory();
  }

  /** Something done below a directory; what it returns is compared. */
  protected interface Act {
    @Nullable Object in(Path root) throws Exception;
  }

  /** Something whose result does not matter, only whether it fails. */
  protected interface Deed {
    void in(Path root) throws Exception;
  }

  private record Outcome(String text, @Nullable Class<?> thrown) {}

  private static Outcome outcome(Act act, Path root) {
    try {
      return new Outcome(text(act.in(root), root), null);
    } catch (Throwable e) {
      return new Outcome(e.toString(), e.getClass());
    }
  }

  private static String text(@Nullable Object value, Path root) {
    return switch (value) {
      case null -> "null";
      case byte[] bytes -> Arrays.toString(bytes);
      case Path path -> path.startsWith(root) ? "ROOT/" + root.relativize(path) : path.toString();
      case List<?> list -> list.stream().map(each -> text(each, root)).toList().toString();
      default -> value.toString();
    };
  }

  private void same(String name, Act act) {
    Outcome theirs = outcome(act, local);
    Outcome own = outcome(act, ours);
    boolean matches =
        (theirs.thrown() == null || own.thrown() == null)
            ? theirs.equals(own)
            : theirs.thrown().isAssignableFrom(own.thrown());
    if (!matches) {
      differences.add(name + ": local=" + theirs.text() + " luciola=" + own.text());
    }
  }

  private void does(String name, Deed deed) {
    same(
        name,
        root -> {
          deed.in(root);
          return "done";
        });
  }

  private void sameTrees(String name) {
    same(name + ", tree after it", SameAsLocalContract::tree);
  }

  private void noDifferences() {
    if (!differences.isEmpty()) {
      fail(
          differences.size()
              + " differences:\n"
              + differences.stream().limit(SHOWN_MAX).collect(Collectors.joining("\n")));
    }
  }

  private static Object tree(Path root) throws IOException {
    Map<String, String> tree = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(root)) {
      for (Path path : walk.toList()) {
        PosixFileAttributes attributes =
            Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        String what =
            attributes.isSymbolicLink()
                ? "-> " + text(Files.readSymbolicLink(path), root)
                : PosixFilePermissions.toString(attributes.permissions())
                    + (attributes.isDirectory() ? " directory" : " " + Files.readString(path));
        tree.put(root.relativize(path).toString(), what);
      }
    }
    return tree;
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String read(FileChannel channel, int count, long at) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    int got = channel.read(buffer, at);
    buffer.flip();
    return got + StandardCharsets.US_ASCII.decode(buffer).toString();
  }

  private static void open(Path path, OpenOption... options) throws IOException {
    FileChannel.open(path, options).close();
  }

  @Test
  void opens() {
    does("write", root -> Files.writeString(root.resolve("f"), "one"));
    does("append", root -> Files.writeString(root.resolve("f"), "two", StandardOpenOption.APPEND));
    same("read", root -> Files.readString(root.resolve("f")));
    does("cut", root -> Files.writeString(root.resolve("f"), "3"));
    does("create again", root -> Files.createFile(root.resolve("f")));
    does("over", root -> Files.writeString(root.resolve("f"), "x", StandardOpenOption.WRITE));
    does("directory", root -> Files.createDirectory(root.resolve("d")));
    does("link", root -> Files.createSymbolicLink(root.resolve("l"), name(root, "f")));
    does("dangling", root -> Files.createSymbolicLink(root.resolve("dangling"), name(root, "no")));
    List<OpenOption[]> ways = new ArrayList<>();
    for (List<OpenOption> way :
        List.<List<OpenOption>>of(
            List.of(),
            List.of(StandardOpenOption.READ),
            List.of(StandardOpenOption.WRITE),
            List.of(StandardOpenOption.APPEND),
            List.of(StandardOpenOption.CREATE),
            List.of(StandardOpenOption.READ, StandardOpenOption.WRITE),
            List.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE),
            List.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
            List.of(StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING),
            List.of(StandardOpenOption.READ, StandardOpenOption.APPEND),
            List.of(StandardOpenOption.APPEND, StandardOpenOption.TRUNCATE_EXISTING),
            List.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS),
            List.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE, LinkOption.NOFOLLOW_LINKS),
            List.of(StandardOpenOption.WRITE, StandardOpenOption.SYNC, StandardOpenOption.SPARSE),
            List.of(StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE))) {
      ways.add(way.toArray(OpenOption[]::new));
    }
    for (OpenOption[] way : ways) {
      for (String what :
          List.of("f", "d", "l", "dangling", "missing", "f/below", "missing/below", "")) {
        String name = "open " + what + " " + Arrays.toString(way);
        does(name, root -> open(root.resolve(what), way));
        sameTrees(name);
      }
      does("again", root -> Files.writeString(root.resolve("f"), "again"));
      does("gone", root -> Files.deleteIfExists(root.resolve("no")));
      does("gone too", root -> Files.deleteIfExists(root.resolve("missing")));
      does("link gone", root -> Files.deleteIfExists(root.resolve("l")));
      does("link again", root -> Files.createSymbolicLink(root.resolve("l"), name(root, "f")));
      does("dangling gone", root -> Files.deleteIfExists(root.resolve("dangling")));
      does("again", root -> Files.createSymbolicLink(root.resolve("dangling"), name(root, "no")));
    }
    does(
        "stream to write",
        root -> Files.newInputStream(root.resolve("f"), StandardOpenOption.WRITE).close());
    does("stream of nothing", root -> Files.newInputStream(root.resolve("missing")).close());
    does(
        "out to read",
        root -> Files.newOutputStream(root.resolve("f"), StandardOpenOption.READ).close());
    does("read a directory", root -> Files.readAllBytes(root.resolve("d")));
    does("write a directory", root -> Files.writeString(root.resolve("d"), "x"));
    does(
        "force a directory",
        root -> {
          try (FileChannel channel = FileChannel.open(root.resolve("d"))) {
            channel.force(true);
          }
        });
    noDifferences();
  }

  private static Path name(Path root, String name) {
    return root.getFileSystem().getPath(name);
  }

  @Test
  void channels() {
    does("write", root -> Files.writeString(root.resolve("f"), "0123456789"));
    same(
        "both ways",
        root -> {
          List<Object> seen = new ArrayList<>();
          try (FileChannel channel =
              FileChannel.open(
                  root.resolve("f"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            seen.add(read(channel, 4, 3));
            seen.add(channel.write(ascii("abc"), 12));
            seen.add(channel.size());
            seen.add(read(channel, 20, 8));
            seen.add(read(channel, 1, 15));
            seen.add(channel.position());
            ByteBuffer[] parts = {
              ByteBuffer.allocate(0), ByteBuffer.allocate(2), ByteBuffer.allocate(3)
            };
            seen.add(channel.read(parts));
            seen.add(channel.read(parts, 1, 1));
            seen.add(channel.position());
            seen.add(channel.write(new ByteBuffer[] {ascii("XY"), ascii(""), ascii("Z")}));
            seen.add(channel.position());
            channel.position(100);
            seen.add(channel.read(ByteBuffer.allocate(3)));
            seen.add(channel.read(ByteBuffer.allocate(0)));
            channel.truncate(200);
            seen.add(channel.position());
            seen.add(channel.size());
            channel.truncate(5);
            seen.add(channel.position());
            seen.add(read(channel, 10, 0));
            seen.add(channel.write(ascii("!"), 9));
            seen.add(read(channel, 20, 0));
            channel.force(false);
            try (FileChannel other =
                FileChannel.open(
                    root.resolve("g"), StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
              seen.add(channel.transferTo(1, 6, other));
              seen.add(channel.transferTo(100, 6, other));
              seen.add(other.transferFrom(channel.position(2), 6, 100));
              seen.add(other.transferFrom(channel.position(0), 100, 2));
              seen.add(other.size());
            }
            ByteBuffer direct = ByteBuffer.allocateDirect(8);
            seen.add(channel.read(direct, 2));
            MappedByteBuffer mapped = channel.map(MapMode.READ_ONLY, 1, 4);
            byte[] bytes = new byte[4];
            mapped.get(bytes);
            seen.add(bytes);
            seen.add(mapped.isReadOnly());
            MappedByteBuffer own = channel.map(MapMode.PRIVATE, 0, 2);
            own.put(0, (byte) 'P');
            seen.add(own.get(0));
            seen.add(read(channel, 2, 0));
          }
          return seen;
        });
    same("what was copied", root -> Files.readString(root.resolve("g")));
    List<Deed> wrong = new ArrayList<>();
    for (OpenOption[] way :
        new OpenOption[][] {
          {StandardOpenOption.READ},
          {StandardOpenOption.WRITE},
          {StandardOpenOption.APPEND},
          {StandardOpenOption.READ, StandardOpenOption.WRITE}
        }) {
      for (ChannelAct act : CHANNEL_ACTS) {
        wrong.add(root -> {
          try (FileChannel channel = FileChannel.open(root.resolve("f"), way)) {
            act.on(channel);
          }
        });
        wrong.add(root -> {
          FileChannel channel = FileChannel.open(root.resolve("f"), way);
          channel.close();
          act.on(channel);
        });
      }
    }
    for (int i = 0; i < wrong.size(); i++) {
      does("case " + i, wrong.get(i));
    }
    same("at the end", root -> Files.readString(root.resolve("f")));
    noDifferences();
  }

  private interface ChannelAct {
    void on(FileChannel channel) throws IOException;
  }

  private static final List<ChannelAct> CHANNEL_ACTS =
      List.of(
          channel -> channel.read(ByteBuffer.allocate(1)),
          channel -> channel.read(ByteBuffer.allocate(1).asReadOnlyBuffer()),
          channel -> channel.read(ByteBuffer.allocate(1), -1),
          channel -> channel.read(ByteBuffer.allocate(1), 1),
          channel -> channel.read(new ByteBuffer[] {ByteBuffer.allocate(1)}, 1, 1),
          channel -> channel.write(ascii("w")),
          channel -> channel.write(ascii("w"), 2),
          channel -> channel.write(ascii("w"), -2),
          channel -> channel.write(new ByteBuffer[] {ascii("w")}, 0, 2),
          channel -> channel.position(-1),
          channel -> channel.position(3),
          channel -> channel.truncate(-1),
          channel -> channel.truncate(4),
          channel -> channel.size(),
          channel -> channel.force(true),
          channel -> channel.transferTo(-1, 1, channel),
          channel -> channel.transferTo(0, -1, channel),
          channel -> channel.transferFrom(channel, 0, -1),
          channel -> channel.map(MapMode.READ_ONLY, 0, 2),
          channel -> channel.map(MapMode.READ_ONLY, -1, 2),
          channel -> channel.map(MapMode.PRIVATE, 0, 1),
          channel -> channel.tryLock().release(),
          channel -> channel.tryLock(0, 10, true).release(),
          channel -> channel.tryLock(-1, 10, false).release(),
          channel -> {
            try (FileLock _ = channel.lock()) {
              channel.tryLock(5, 1, false).release();
            }
          });

  private static void close(FileChannel channel) throws IOException {
    channel.close();
  }

  @Test
  void locks() {
    does("file", root -> Files.writeString(root.resolve("f"), "0123456789"));
    same(
        "two channels",
        root -> {
          List<Object> seen = new ArrayList<>();
          try (FileChannel one =
                  FileChannel.open(
                      root.resolve("f"), StandardOpenOption.READ, StandardOpenOption.WRITE);
              FileChannel two = FileChannel.open(root.resolve("f"), StandardOpenOption.WRITE)) {
            FileLock lock = one.tryLock(0, 5, false);
            seen.add(lock.isValid());
            seen.add(lock.isShared());
            seen.add(lock.position());
            seen.add(lock.size());
            FileLock beside = two.tryLock(5, 5, false);
            seen.add(beside.overlaps(0, 5));
            seen.add(outcome(_ -> two.tryLock(4, 1, false), root).thrown());
            seen.add(outcome(_ -> one.tryLock(0, 1, true), root).thrown());
            lock.release();
            lock.release();
            seen.add(lock.isValid());
            FileLock again = two.tryLock(0, 5, false);
            seen.add(again.isValid());
            close(two);
            seen.add(again.isValid());
            seen.add(beside.isValid());
            seen.add(
                outcome(
                        _ -> {
                          again.release();
                          return null;
                        },
                        root)
                    .thrown());
            seen.add(one.lock().isValid());
          }
          return seen;
        });
    noDifferences();
  }

  @Test
  void directories() {
    does("make", root -> Files.createDirectory(root.resolve("d")));
    does("again", root -> Files.createDirectory(root.resolve("d")));
    does("all again", root -> Files.createDirectories(root.resolve("d")));
    does("without a parent", root -> Files.createDirectory(root.resolve("no/d")));
    does(
        "with mode",
        root ->
            Files.createDirectory(
                root.resolve("m"),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwxr-x---"))));
    does(
        "file",
        root ->
            Files.createFile(
                root.resolve("d/f"),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rw-------"))));
    does("below a file", root -> Files.createDirectory(root.resolve("d/f/x")));
    does("all below a file", root -> Files.createDirectories(root.resolve("d/f/x")));
    does("over a file", root -> Files.createDirectories(root.resolve("d/f")));
    for (String name : List.of("a.txt", "b.txt", ".hidden", "a b", "c.bin")) {
      does("name " + name, root -> Files.writeString(root.resolve("d").resolve(name), name));
    }
    for (String glob :
        List.of("*", "*.txt", "?.txt", "{a,c}*", "[ab].*", "[!a]*", "\\.*", "a b", ".*")) {
      same("glob " + glob, root -> names(root.resolve("d"), glob));
    }
    for (String glob : List.of("[", "{", "{a,{b}}", "[b-a]", "\\")) {
      same("bad glob " + glob, root -> names(root.resolve("d"), glob));
    }
    does("list a file", root -> names(root.resolve("d/f"), "*"));
    does("list nothing", root -> names(root.resolve("no"), "*"));
    does(
        "twice",
        root -> {
          try (DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve("d"))) {
            var _ = stream.iterator();
            var _ = stream.iterator();
          }
        });
    same(
        "closed under way",
        root -> {
          DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve("d"));
          Iterator<Path> iterator = stream.iterator();
          stream.close();
          stream.close();
          return iterator.hasNext();
        });
    does(
        "closed before",
        root -> {
          DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve("d"));
          stream.close();
          var _ = stream.iterator();
        });
    does(
        "a filter that fails",
        root -> {
          try (DirectoryStream<Path> stream =
              Files.newDirectoryStream(
                  root.resolve("d"),
                  _ -> {
                    throw new IOException("filter");
                  })) {
            var _ = stream.iterator().hasNext();
          }
        });
    same(
        "a lazy filter",
        root -> {
          try (DirectoryStream<Path> _ =
              Files.newDirectoryStream(
                  root.resolve("d"),
                  _ -> {
                    throw new IOException("filter");
                  })) {
            return "opened";
          }
        });
    same(
        "walk",
        root -> {
          try (Stream<Path> walk = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
            return walk.sorted().toList();
          }
        });
    same(
        "find",
        root -> {
          try (Stream<Path> found =
              Files.find(root, 3, (path, _) -> path.toString().endsWith("txt"))) {
            return found.sorted().toList();
          }
        });
    does("remove full", root -> Files.delete(root.resolve("d")));
    does("remove nothing", root -> Files.delete(root.resolve("no")));
    same("if there", root -> Files.deleteIfExists(root.resolve("no")));
    does("below a file", root -> Files.deleteIfExists(root.resolve("d/f/x")));
    same("hidden", root -> Files.isHidden(root.resolve("d/.hidden")));
    same("empty", root -> Files.deleteIfExists(root.resolve("m")));
    does("temporary", root -> Files.delete(Files.createTempFile(root, "a", "b")));
    does("temporary directory", root -> Files.delete(Files.createTempDirectory(root, "a")));
    does("store", root -> Files.getFileStore(root.resolve("no")));
    same(
        "one store",
        root -> Files.getFileStore(root).equals(Files.getFileStore(root.resolve("d"))));
    sameTrees("all");
    noDifferences();
  }

  private static List<Path> names(Path directory, String glob) throws IOException {
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, glob)) {
      List<Path> names = new ArrayList<>();
      stream.forEach(names::add);
      names.sort(null);
      return names;
    }
  }

  /** Every kind of source, to every kind of target, in every way: copied and moved. */
  @Test
  void copiesAndMoves() throws IOException {
    List<String> sources =
        List.of("missing", "file", "empty", "full", "link", "dangling", "links", "file/below");
    List<String> targets =
        List.of(
            "new",
            "file",
            "file2",
            "empty",
            "empty2",
            "full2",
            "link",
            "link2",
            "second",
            "no/parent",
            "file/below");
    List<List<CopyOption>> ways =
        List.of(
            List.of(),
            List.of(StandardCopyOption.REPLACE_EXISTING),
            List.of(StandardCopyOption.ATOMIC_MOVE),
            List.of(LinkOption.NOFOLLOW_LINKS),
            List.of(
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES,
                LinkOption.NOFOLLOW_LINKS));
    int number = 0;
    Object untouched = "";
    for (String source : sources) {
      for (String target : targets) {
        for (List<CopyOption> way : ways) {
          CopyOption[] options = way.toArray(CopyOption[]::new);
          for (boolean move : new boolean[] {false, true}) {
            if (number++ % every() != 0) {
              continue;
            }
            if (!tree(local).equals(untouched) || !tree(ours).equals(untouched)) {
              fresh();
              fill(local);
              fill(ours);
              untouched = tree(local);
            }
            String name = (move ? "move " : "copy ") + source + " " + target + " " + way;
            does(
                name,
                root -> {
                  if (move) {
                    Files.move(root.resolve(source), root.resolve(target), options);
                  } else {
                    Files.copy(root.resolve(source), root.resolve(target), options);
                  }
                });
            sameTrees(name);
          }
        }
      }
    }
    noDifferences();
  }

  private static void fill(Path root) throws IOException {
    Files.writeString(root.resolve("file"), "file");
    Files.setPosixFilePermissions(
        root.resolve("file"), PosixFilePermissions.fromString("rwxr-x---"));
    Files.writeString(root.resolve("file2"), "file2");
    Files.createLink(root.resolve("second"), root.resolve("file"));
    Files.createDirectory(root.resolve("empty"));
    Files.createDirectory(root.resolve("empty2"));
    Files.createDirectories(root.resolve("full/sub"));
    Files.createDirectories(root.resolve("full2/sub"));
    Files.createSymbolicLink(root.resolve("link"), name(root, "file"));
    Files.createSymbolicLink(root.resolve("link2"), name(root, "empty"));
    Files.createSymbolicLink(root.resolve("links"), name(root, "link"));
    Files.createSymbolicLink(root.resolve("dangling"), name(root, "nowhere"));
  }

  @Test
  void attributes() {
    does("fill", SameAsLocalContract::fill);
    FileTime time = FileTime.fromMillis(1_234_567_890_123L);
    for (String file : List.of("file", "empty", "link", "dangling", "missing", "file/below")) {
      for (LinkOption[] links : new LinkOption[][] {{}, {LinkOption.NOFOLLOW_LINKS}}) {
        String name = file + (links.length > 0 ? " itself" : "");
        does(
            "time of " + name,
            root ->
                Files.getFileAttributeView(root.resolve(file), BasicFileAttributeView.class, links)
                    .setTimes(time, null, null));
        does(
            "no times of " + name,
            root ->
                Files.getFileAttributeView(root.resolve(file), BasicFileAttributeView.class, links)
                    .setTimes(null, null, null));
        same("read " + name, root -> Files.getLastModifiedTime(root.resolve(file), links));
        for (String attribute :
            List.of(
                "size",
                "isDirectory",
                "isSymbolicLink",
                "isRegularFile",
                "isOther",
                "basic:size",
                "posix:permissions",
                "unix:nlink",
                "unix:uid",
                "unix:gid",
                "unix:mode",
                "unix:rdev",
                "owner:owner",
                "permissions",
                "basic:owner",
                "owner:size",
                "no:size",
                "posix:no",
                "")) {
          // How long a directory or link is, and how many names a directory has, is a file system's
          // own.
          if (!(attribute.endsWith("size") || attribute.endsWith("nlink"))
              || file.equals("file")
              || file.startsWith("missing")) {
            same(
                attribute + " of " + name,
                root -> {
                  Object value = Files.getAttribute(root.resolve(file), attribute, links);
                  return value instanceof java.security.Principal ? "somebody" : value;
                });
          }
        }
        same(
            "names of " + name,
            root ->
                new TreeMap<>(Files.readAttributes(root.resolve(file), "posix:*", links)).keySet());
        same(
            "basic names of " + name,
            root -> new TreeMap<>(Files.readAttributes(root.resolve(file), "*", links)).keySet());
        same(
            "two of " + name,
            root ->
                new TreeMap<>(
                    Files.readAttributes(
                        root.resolve(file), "isDirectory,lastModifiedTime", links)));
      }
      does(
          "permissions of " + file,
          root ->
              Files.setPosixFilePermissions(
                  root.resolve(file), PosixFilePermissions.fromString("rwx-w---x")));
      does("mode of " + file, root -> Files.setAttribute(root.resolve(file), "unix:mode", 0640));
      does("made of " + file, root -> Files.setAttribute(root.resolve(file), "creationTime", time));
      does("size of " + file, root -> Files.setAttribute(root.resolve(file), "size", 1L));
      does(
          "owner of " + file,
          root -> Files.setOwner(root.resolve(file), Files.getOwner(root.resolve(file))));
      does("uid of " + file, root -> Files.setAttribute(root.resolve(file), "unix:uid", 1234));
      same("uid after of " + file, root -> Files.getAttribute(root.resolve(file), "unix:uid"));
      same("exists " + file, root -> Files.exists(root.resolve(file)));
      same("not exists " + file, root -> Files.notExists(root.resolve(file)));
      same(
          "itself exists " + file,
          root -> Files.exists(root.resolve(file), LinkOption.NOFOLLOW_LINKS));
      same("readable " + file, root -> Files.isReadable(root.resolve(file)));
      same("executable " + file, root -> Files.isExecutable(root.resolve(file)));
    }
    same(
        "view names",
        root ->
            List.of(
                Files.getFileAttributeView(root, BasicFileAttributeView.class).name(),
                Files.getFileAttributeView(root, PosixFileAttributeView.class).name(),
                Files.getFileAttributeView(root, FileOwnerAttributeView.class).name()));
    same(
        "keys",
        root ->
            Files.readAttributes(root.resolve("file"), BasicFileAttributes.class)
                .fileKey()
                .equals(
                    Files.readAttributes(root.resolve("second"), BasicFileAttributes.class)
                        .fileKey()));
    same(
        "nobody",
        root ->
            root.getFileSystem()
                .getUserPrincipalLookupService()
                .lookupPrincipalByName("no such user"));
    same(
        "store views",
        root -> Files.getFileStore(root).supportsFileAttributeView(FileOwnerAttributeView.class));
    sameTrees("all");
    noDifferences();
  }

  @Test
  void linksAndDots() {
    does("fill", SameAsLocalContract::fill);
    does("into", root -> Files.createSymbolicLink(root.resolve("into"), name(root, "full/sub")));
    does(
        "absolute",
        root -> Files.createSymbolicLink(root.resolve("absolute"), root.resolve("full")));
    does("loop", root -> Files.createSymbolicLink(root.resolve("loop"), name(root, "loop")));
    does("up", root -> Files.createSymbolicLink(root.resolve("full/up"), name(root, "../file")));
    does("in", root -> Files.writeString(root.resolve("full/in"), "in"));
    for (String path :
        List.of(
            "file",
            "link",
            "links",
            "dangling",
            "loop",
            "into",
            "into/..",
            "into/../in",
            "absolute/in",
            "absolute/sub/..",
            "full/up",
            "full/../file",
            "file/..",
            "missing/..",
            "./file",
            "full/.",
            "into/../../file",
            "missing",
            "link/below",
            "full/sub/../../link")) {
      same("real " + path, root -> root.resolve(path).toRealPath());
      same("real itself " + path, root -> root.resolve(path).toRealPath(LinkOption.NOFOLLOW_LINKS));
      same(
          "read " + path,
          root -> {
            Path file = root.resolve(path);
            return Files.isDirectory(file) ? "directory" : Files.readString(file);
          });
      same("link " + path, root -> Files.readSymbolicLink(root.resolve(path)));
      same("same " + path, root -> Files.isSameFile(root.resolve(path), root.resolve("file")));
    }
    does(
        "hard link of nothing",
        root -> Files.createLink(root.resolve("h"), root.resolve("missing")));
    does("hard link over", root -> Files.createLink(root.resolve("file2"), root.resolve("file")));
    does(
        "hard link of a directory",
        root -> Files.createLink(root.resolve("h"), root.resolve("empty")));
    does("hard link", root -> Files.createLink(root.resolve("h"), root.resolve("file")));
    does("link over", root -> Files.createSymbolicLink(root.resolve("file2"), name(root, "x")));
    does(
        "link with mode",
        root ->
            Files.createSymbolicLink(
                root.resolve("y"),
                name(root, "x"),
                PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------"))));
    sameTrees("all");
    noDifferences();
  }
}
