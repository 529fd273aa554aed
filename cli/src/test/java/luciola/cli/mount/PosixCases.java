package luciola.cli.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * The same system calls on the machine's own file system and on a mount: the same results, the same
 * errors, the same attributes afterwards.
 */
final class PosixCases {
  static final String PYTHON = "/usr/bin/python3";

  private static final Path MEMORY = Path.of("/dev/shm");

  /** Each for a program of its own: four at once, for the time it takes. */
  private static final List<String> CASES =
      List.of(
          "each_call_on_each_kind",
          "each_call_on_bad_paths",
          "each_call_by_others",
          "modes set_id_bits owners inherited_groups sticky_directories links directories renames"
              + " special_files opens running_programs lengths file_times symbolic_links listings");

  private PosixCases() {}

  /** Writes a script of the tests' resources into a directory. */
  static Path script(String name, Path into) throws IOException {
    Path script = into.resolve(name);
    try (InputStream in = PosixCases.class.getResourceAsStream(name)) {
      Files.write(script, Objects.requireNonNull(in).readAllBytes());
    }
    return script;
  }

  /**
   * Makes all steps in both.
   *
   * @param directory of the mount, empty
   * @param local a directory of the machine's own, for what is needed beside
   */
  static void compare(Path directory, Path local) throws IOException, InterruptedException {
    Path script = script("posix_cases.py", local);
    Path other =
        Files.isWritable(MEMORY)
            ? Files.createTempDirectory(MEMORY, "luciola-")
            : Files.createDirectory(local.resolve("other"));
    try {
      List<Steps> expected = allSteps(script, other);
      List<Steps> found = allSteps(script, directory);
      for (int i = 0; i < expected.size(); i++) {
        String steps = expected.get(i).said();
        assertTrue(steps.lines().count() > 100 && !steps.contains("broke off"), steps);
        assertEquals(steps, found.get(i).said());
      }
    } finally {
      MountedCluster.sh(local, "rm -rf " + other);
    }
  }

  private static List<Steps> allSteps(Path script, Path where) throws IOException {
    List<Steps> all = new ArrayList<>();
    for (String cases : CASES) {
      all.add(new Steps(script, Files.createDirectory(where.resolve("part" + all.size())), cases));
    }
    return all;
  }

  /** Some of the cases on one file system, under way. */
  private static final class Steps {
    private final Process process;
    private final CompletableFuture<String> output;

    Steps(Path script, Path where, String cases) throws IOException {
      List<String> command = new ArrayList<>(List.of(PYTHON, script.toString(), where.toString()));
      command.addAll(List.of(cases.split(" ")));
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      output =
          CompletableFuture.supplyAsync(() -> {
            try {
              return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }

    String said() throws InterruptedException {
      String said = output.join();
      assertEquals(0, process.waitFor(), said);
      return said;
    }
  }
}
