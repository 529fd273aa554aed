package luciola.cli.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import luciola.cli.bench.BenchCase.Pattern;
import luciola.cli.bench.BenchCase.Work;
import luciola.cli.terminal.CommandFailure;

/** A process in C that keeps {@code depth} operations of one ring under way. */
final class RingLoad implements Load {
  private static final long END_SECONDS = 20;

  private final Process process;
  private final BufferedReader answers;
  private final Writer orders;

  /**
   * @param program see {@link RingProgram}
   * @param socket of the agent
   * @param path of the file to read, or the beginning of those to write
   * @param fileBytes of all files that are written together
   */
  RingLoad(Path program, Path socket, BenchCase of, String path, long fileBytes)
      throws IOException {
    boolean writes = of.work() == Work.WRITE;
    if (writes && of.pattern() != Pattern.STREAM && of.pattern() != Pattern.RANDOM) {
      throw CommandFailure.wrongUse("bench ring writes with the patterns stream and random");
    }
    List<String> command =
        new ArrayList<>(List.of(program.toString(), "--socket", socket.toString()));
    command.addAll(List.of("--path", path, "--work", writes ? "write" : "read"));
    command.addAll(List.of("--pattern", of.pattern() == Pattern.RANDOM ? "random" : "sequential"));
    command.addAll(List.of("--bytes", of.bytes() + "", "--depth", of.depth() + ""));
    command.addAll(List.of("--file-bytes", fileBytes + ""));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    orders = process.outputWriter(StandardCharsets.UTF_8);
    answer();
  }

  /** The process. */
  long pid() {
    return process.pid();
  }

  private String answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      process.destroyForcibly();
      throw CommandFailure.failed("bench ring: the program in C has failed");
    }
    return line;
  }

  @Override
  public long run(long untilNanos, Latencies latencies) throws IOException {
    double seconds = Math.max(1e-3, (untilNanos - System.nanoTime()) / 1e9);
    orders.write(String.format(Locale.ROOT, "%.6f%n", seconds));
    orders.flush();
    String[] words = answer().split(" ", -1);
    for (int i = 2; i < words.length; i++) {
      int colon = words[i].indexOf(':');
      latencies.add(
          Long.parseLong(words[i].substring(0, colon)),
          Long.parseLong(words[i].substring(colon + 1)));
    }
    return Long.parseLong(words[0]);
  }

  @Override
  public void close() throws IOException {
    orders.close();
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
