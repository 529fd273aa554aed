package luciola.cli.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import luciola.cli.terminal.CommandFailure;
import luciola.loader.ring.RingClient;

/**
 * The program in C that puts load on a ring, compiled where it is used: what is measured is a
 * process that is not Java.
 */
final class RingProgram {
  private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");
  private static final List<String> SOURCES = List.of("luciola_ring.h", "ring_bench.c");

  private RingProgram() {}

  /**
   * Compiles it into a folder.
   *
   * @return the program; empty if this machine has no C compiler
   * @throws CommandFailure if it does not compile
   */
  static Optional<Path> compile(Path folder) throws IOException, InterruptedException {
    for (String source : SOURCES) {
      try (InputStream from = RingClient.class.getResourceAsStream(source)) {
        if (from == null) {
          throw CommandFailure.failed("bench ring: not packed with this program: " + source);
        }
        Files.copy(from, folder.resolve(source));
      }
    }
    Path output = folder.resolve("compiler.log");
    for (String compiler : COMPILERS) {
      Process process;
      try {
        process =
            new ProcessBuilder(compiler, "-O2", "-o", "ring_bench", "ring_bench.c")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
      } catch (IOException _) {
        continue; // not there
      }
      if (process.waitFor() != 0) {
        throw CommandFailure.failed("bench ring: not compiled:\n" + Files.readString(output));
      }
      return Optional.of(folder.resolve("ring_bench"));
    }
    return Optional.empty();
  }
}
