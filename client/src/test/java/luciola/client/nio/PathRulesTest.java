package luciola.client.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.PatternSyntaxException;
import luciola.client.memory.MemoryFileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names and patterns without any file: the same as those of the machine, which is a Unix. */
final class PathRulesTest {
  private static final int TRIES = 20_000;
  private static final List<String> PARTS =
      List.of("a", "b", "ab", ".", "..", "/", "//", "", "c.d", "-", " ");
  private static final List<String> GLOB_PARTS =
      List.of(
          "a", "b", ".", "*", "**", "?", "[", "]", "{", "}", ",", "!", "-", "\\", "/", "^", "&");

  private final LuciolaNioFileSystem ours =
      LuciolaFileSystemProvider.over(new MemoryFileSystem(), "meta:7000");
  private final FileSystem machine = FileSystems.getDefault();
  private final Random random = new Random(42);

  @AfterEach
  void close() throws IOException {
    ours.close();
  }

  private String path(int max) {
    return text(PARTS, max, true);
  }

  private String text(List<String> parts, int max, boolean slashes) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(max + 1); i > 0; i--) {
      text.append(parts.get(random.nextInt(parts.size())));
      if (slashes && random.nextBoolean()) {
        text.append('/');
      }
    }
    return text.toString();
  }

  private static String outcome(FileSystem fs, Function<FileSystem, Object> asked) {
    try {
      return String.valueOf(asked.apply(fs));
    } catch (RuntimeException e) {
      return e.getClass().getSimpleName();
    }
  }

  @Test
  void pathsAreThoseOfTheMachine() {
    for (int i = 0; i < TRIES; i++) {
      String a = path(5);
      String b = path(5);
      String c = path(2);
      int from = random.nextInt(4) - 1;
      int to = random.nextInt(5);
      List<Function<FileSystem, Object>> asked = new ArrayList<>();
      asked.add(fs -> fs.getPath(a));
      asked.add(fs -> fs.getPath(a, b, c));
      asked.add(fs -> fs.getPath(a).normalize());
      asked.add(fs -> fs.getPath(a).getFileName());
      asked.add(fs -> fs.getPath(a).getParent());
      asked.add(fs -> fs.getPath(a).getRoot());
      asked.add(fs -> fs.getPath(a).getNameCount());
      asked.add(fs -> fs.getPath(a).getName(to));
      asked.add(fs -> fs.getPath(a).subpath(from, to));
      asked.add(fs -> fs.getPath(a).isAbsolute());
      asked.add(fs -> fs.getPath(a).resolve(b));
      asked.add(fs -> fs.getPath(a).resolve(fs.getPath(b)));
      asked.add(fs -> fs.getPath(a).resolveSibling(b));
      asked.add(fs -> fs.getPath(a).relativize(fs.getPath(b)));
      asked.add(fs -> fs.getPath(a).startsWith(fs.getPath(b)));
      asked.add(fs -> fs.getPath(a).endsWith(fs.getPath(b)));
      asked.add(fs -> fs.getPath(a).startsWith(b));
      asked.add(fs -> fs.getPath(a).endsWith(b));
      asked.add(fs -> fs.getPath(a).equals(fs.getPath(b)));
      asked.add(fs -> Integer.signum(fs.getPath(a).compareTo(fs.getPath(b))));
      asked.add(fs -> fs.getPath(a).toAbsolutePath().isAbsolute());
      asked.add(fs -> {
        List<String> names = new ArrayList<>();
        fs.getPath(a).forEach(name -> names.add(name.toString()));
        return names;
      });
      for (int q = 0; q < asked.size(); q++) {
        assertEquals(
            outcome(machine, asked.get(q)),
            outcome(ours, asked.get(q)),
            "question " + q + ": a=<" + a + "> b=<" + b + "> c=<" + c + "> " + from + " " + to);
      }
    }
  }

  @Test
  void globsAreThoseOfTheMachine() {
    int good = 0;
    for (int i = 0; i < TRIES; i++) {
      String glob = text(GLOB_PARTS, 6, false);
      for (int j = 0; j < 5; j++) {
        String path = path(3);
        Function<FileSystem, Object> matches =
            fs -> fs.getPathMatcher("glob:" + glob).matches(fs.getPath(path));
        String theirs = outcome(machine, matches);
        good += theirs.equals("true") ? 1 : 0;
        assertEquals(theirs, outcome(ours, matches), "glob=<" + glob + "> path=<" + path + ">");
      }
    }
    assertEquals(true, good > 100, "matched " + good);
    assertEquals(true, ours.getPathMatcher("glob:*.ü").matches(ours.getPath("x.ü")));
    assertEquals(true, ours.getPathMatcher("regex:a.c").matches(ours.getPath("abc")));
    assertThrows(PatternSyntaxException.class, () -> ours.getPathMatcher("glob:["));
    assertThrows(UnsupportedOperationException.class, () -> ours.getPathMatcher("no:x"));
    assertThrows(IllegalArgumentException.class, () -> ours.getPathMatcher("x"));
  }

  @Test
  void aPathGoesThroughItsUri() {
    for (String text : List.of("/", "/a b", "/a/../b", "/ü", "/%25", "/a?b#c")) {
      URI uri = ours.getPath(text).toUri();
      assertEquals(ours.getPath(text), ours.provider().getPath(uri));
    }
    assertEquals(ours.getPath("/"), ours.provider().getPath(URI.create("luciola://meta:7000")));
  }

  @Test
  void othersPathsAreRefused() {
    Path theirs = Path.of("a");
    assertThrows(ProviderMismatchException.class, () -> ours.getPath("a").resolve(theirs));
    assertThrows(ProviderMismatchException.class, () -> ours.getPath("a").relativize(theirs));
    assertThrows(ClassCastException.class, () -> ours.getPath("a").compareTo(theirs));
    assertThrows(InvalidPathException.class, () -> ours.getPath("a\0b"));
    assertEquals(false, ours.getPath("a").equals(theirs));
    assertEquals(false, ours.getPath("a").startsWith(theirs));
  }
}
