package luciola.cli.mount;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Path;

/** A program that has a file open for appending, and once more for writing anywhere. */
final class AppendingProgram implements AutoCloseable {
  private static final String SCRIPT =
      """
      import errno, os, sys
      a = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)
      f = os.open(sys.argv[1], os.O_RDWR)
      def act(words):
          what = words[0]
          if what == "append":
              return "ok" if os.write(a, words[1].encode()) == len(words[1]) else "short"
          if what == "write":
              os.pwrite(f, words[2].encode(), int(words[1]))
              return "ok"
          if what == "read":
              return os.pread(f, 100000, 0).decode()
          if what == "size":
              return str(os.fstat(f).st_size)
          if what == "cut":
              os.ftruncate(f, int(words[1]))
              return "ok"
          if what == "sync":
              os.fsync(f)
              return "ok"
      print("ready", flush=True)
      for line in sys.stdin:
          try:
              print(act(line.split()), flush=True)
          except OSError as e:
              print(errno.errorcode[e.errno], flush=True)
      """;

  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter orders;

  AppendingProgram(Path file) throws IOException {
    this.process =
        new ProcessBuilder("python3", "-c", SCRIPT, file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    this.answers = process.inputReader();
    this.orders = process.outputWriter();
    if (!"ready".equals(answers.readLine())) {
      throw new IOException("the program did not start: " + file);
    }
  }

  /** Does something and says what came of it. */
  String does(String order) throws IOException {
    orders.write(order + "\n");
    orders.flush();
    return String.valueOf(answers.readLine());
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
