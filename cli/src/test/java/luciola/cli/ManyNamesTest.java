package luciola.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import luciola.cli.terminal.Invocation;
import luciola.client.DirectoryEntry;
import luciola.client.FileStat;
import luciola.client.FileType;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.id.InodeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands over a directory with more names than anybody wants in memory. */
final class ManyNamesTest {
  private static final int NAMES = 300_000;

  /** So many may have come that were not printed yet. */
  private static final int PAGES = 2_000;

  private final Lines lines = new Lines();

  /** Counts lines, and keeps none. */
  private static final class Lines extends OutputStream {
    private long count;

    @Override
    public void write(int b) {
      count += b == '\n' ? 1 : 0;
    }
  }

  private static FileStat stat(FileType type) {
    return new FileStat(new InodeId(2), type, 0644, 0, 0, 1, 3, 0, 0, 0);
  }

  /** A root directory of that many files, which shows them one by one and lists nothing at once. */
  private final class Wide {
    private final boolean directories;
    private int shown;

    Wide(boolean directories) {
      this.directories = directories;
    }

    Object called(String method, Object[] arguments) {
      return switch (method) {
        case "stat" -> stat(FileType.DIRECTORY);
        case "close" -> Void.TYPE;
        case "list" -> {
          assertEquals(2, arguments.length, "the whole list is asked for");
          @SuppressWarnings("unchecked")
          var visitor = (Consumer<DirectoryEntry>) arguments[1];
          if (arguments[0].equals("/")) {
            show(visitor);
          }
          yield Void.TYPE;
        }
        default -> throw new AssertionError(method);
      };
    }

    private void show(Consumer<DirectoryEntry> visitor) {
      long before = lines.count;
      for (int i = 0; i < NAMES; i++) {
        boolean inside = directories && i % 2 == 0;
        visitor.accept(
            new DirectoryEntry("n" + i, stat(inside ? FileType.DIRECTORY : FileType.FILE)));
        if (!directories) {
          assertTrue(i - (lines.count - before) <= PAGES, "kept: " + (i - (lines.count - before)));
        }
        shown++;
      }
    }
  }

  private int run(Wide wide, String... words) {
    var fs =
        (LuciolaFileSystem)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {LuciolaFileSystem.class},
                (_, method, arguments) -> wide.called(method.getName(), arguments));
    var err = new ByteArrayOutputStream();
    int code =
        Main.run(
            new Invocation(
                new PrintStream(lines, false, UTF_8),
                new PrintStream(err, true, UTF_8),
                Map.of("LUCIOLA_CLUSTER", "memory:1"),
                Path.of("").toAbsolutePath(),
                false),
            _ -> fs,
            words);
    assertEquals("", err.toString(UTF_8));
    return code;
  }

  @ParameterizedTest
  @ValueSource(strings = {"ls /", "ls -l /", "ls --json /", "ls -R /"})
  void namesArePrintedAsTheyCome(String command) {
    var wide = new Wide(false);
    assertEquals(0, run(wide, command.split(" ", -1)));
    assertEquals(NAMES, wide.shown);
    assertTrue(lines.count >= NAMES && lines.count <= NAMES + 2, "lines=" + lines.count);
  }

  @Test
  void manyDirectoriesAreListedOnceMoreAndEachIsShown() {
    var wide = new Wide(true);
    assertEquals(0, run(wide, "ls", "-R", "/"));
    assertEquals(2 * NAMES, wide.shown);
    assertEquals(2 + NAMES + 2L * (NAMES / 2), lines.count);
  }

  @Test
  void lengthsAreAddedUpAsTheyCome() {
    var wide = new Wide(true);
    assertEquals(0, run(wide, "du", "--depth=1", "/"));
    assertEquals(NAMES, wide.shown);
    assertEquals(1 + NAMES / 2 + 1, lines.count);
  }
}
