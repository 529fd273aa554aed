package luciola.cli.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import luciola.cli.terminal.CommandFailure;
import luciola.cli.train.TrainEvent;

/** A training worker: {@code luciola train --json} in a process of its own. */
final class Worker implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Process process;
  private final Path log;
  private final TrainingRun run = new TrainingRun();
  private final Thread reader;

  private Worker(Process process, Path log) {
    this.process = process;
    this.log = log;
    this.reader = Thread.ofPlatform().daemon().name("worker-output").start(this::read);
  }

  /** Starts one; what it says on its error stream goes to a file. */
  static Worker start(List<String> commandLine, Path log) throws IOException {
    var builder = new ProcessBuilder(commandLine);
    builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    return new Worker(builder.start(), log);
  }

  TrainingRun run() {
    return run;
  }

  boolean alive() {
    return process.isAlive();
  }

  /**
   * Waits until it ends by itself.
   *
   * @throws CommandFailure if it does not end in time or fails
   */
  void await(long seconds) throws InterruptedException {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw CommandFailure.failed("the training worker did not end within " + seconds + " s");
    }
    reader.join();
    if (process.exitValue() != 0) {
      throw CommandFailure.failed(
          "the training worker failed with exit code "
              + process.exitValue()
              + "; what it said is in "
              + log);
    }
  }

  private void read() {
    try (var lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        event(line);
      }
    } catch (IOException _) {
      // The process has ended; how is told by its exit code.
    }
  }

  private void event(String line) {
    try {
      run.add(JSON.readValue(line, TrainEvent.class));
    } catch (JsonProcessingException _) {
      // Not one of its events: a message of the runtime.
    }
  }

  /** SIGKILL: it has no chance to save anything. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
    reader.join();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
