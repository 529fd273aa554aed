package luciola.cli.mount;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/**
 * A program that locks a file as it is told. It has the file open once for all its locks of ranges
 * and once for the lock of the whole file.
 */
final class LockingProgram implements AutoCloseable {
  private static final String SCRIPT =
      """
      import errno, fcntl, os, signal, struct, sys
      path = sys.argv[1]
      f = os.open(path, os.O_RDWR)
      w = os.open(path, os.O_RDWR)
      types = {"r": fcntl.F_RDLCK, "w": fcntl.F_WRLCK, "u": fcntl.F_UNLCK}
      class Rang(Exception): pass
      def ring(*_): raise Rang()
      signal.signal(signal.SIGALRM, ring)
      def act(words):
          what = words[0]
          if what in ("set", "wait"):
              lock = struct.pack("hhqqi", types[words[1]], 0, int(words[2]), int(words[3]), 0)
              fcntl.fcntl(f, fcntl.F_SETLK if what == "set" else fcntl.F_SETLKW, lock)
              return "ok"
          if what == "get":
              lock = struct.pack("hhqqi", types[words[1]], 0, int(words[2]), int(words[3]), 0)
              kind, _, start, length, pid = struct.unpack("hhqqi", fcntl.fcntl(f, fcntl.F_GETLK, lock))
              names = {number: name for name, number in types.items()}
              return f"{names[kind]} {start} {length} {'mine' if pid and pid == int(words[4]) else pid}"
          if what == "flock":
              kinds = {"sh": fcntl.LOCK_SH, "ex": fcntl.LOCK_EX, "un": fcntl.LOCK_UN}
              fcntl.flock(w, kinds[words[1]] | (fcntl.LOCK_NB if words[2] == "now" else 0))
              return "ok"
          if what == "alarm":
              signal.setitimer(signal.ITIMER_REAL, float(words[1]))
              return "ok"
          if what == "write":
              os.pwrite(f, words[2].encode(), int(words[1]))
              return "ok"
          if what == "read":
              return os.pread(f, int(words[2]), int(words[1])).decode()
          if what == "size":
              return str(os.fstat(f).st_size)
          if what == "close":
              os.close(os.open(path, os.O_RDONLY))
              return "ok"
      print("ready", flush=True)
      for line in sys.stdin:
          try:
              print(act(line.split()), flush=True)
          except Rang:
              print("interrupted", flush=True)
          except OSError as e:
              print("EDEADLK" if e.errno == errno.EDEADLK else errno.errorcode[e.errno], flush=True)
      """;

  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter orders;

  LockingProgram(Path file) throws IOException {
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

  /** The same in the background: it may have to wait. */
  CompletableFuture<String> begins(String order) {
    var answer = new CompletableFuture<String>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            answer.complete(does(order));
          } catch (IOException e) {
            answer.completeExceptionally(e);
          }
        });
    return answer;
  }

  long pid() {
    return process.pid();
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
