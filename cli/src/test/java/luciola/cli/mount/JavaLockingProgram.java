package luciola.cli.mount;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A Java program that locks a file through {@code java.nio} as it is told: one lock at a time. A
 * process of its own, so that it can be stopped.
 */
final class JavaLockingProgram implements AutoCloseable {
  private final Process process;
  private final BufferedReader answers;
  private final BufferedWriter orders;

  JavaLockingProgram(String metaServer, String path) throws IOException {
    this.process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx128m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    System.getProperty("java.class.path"),
                    JavaLockingProgram.class.getName(),
                    "luciola://" + metaServer + path))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    this.answers = process.inputReader();
    this.orders = process.outputWriter();
    if (!"ready".equals(answers.readLine())) {
      throw new IOException("the program did not start: " + path);
    }
  }

  Process process() {
    return process;
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

  /** What runs in the process. */
  public static void main(String[] arguments) throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var told = new Told(Path.of(URI.create(arguments[0])));
    System.out.println("ready");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(told.does(line.split(" ")));
    }
    System.exit(0);
  }

  private static final class Told {
    private final Path path;
    private FileChannel channel;
    private @Nullable FileLock lock;

    Told(Path path) throws IOException {
      this.path = path;
      this.channel = open();
    }

    private FileChannel open() throws IOException {
      return FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    String does(String[] words) {
      try {
        return switch (words[0]) {
          case "lock" -> {
            boolean shared = words[1].equals("r");
            lock = channel.tryLock(Long.parseLong(words[2]), Long.parseLong(words[3]), shared);
            yield lock == null ? "null" : "ok";
          }
          case "wait" -> {
            lock = channel.lock(0, Long.MAX_VALUE, false);
            yield "ok";
          }
          case "valid" -> String.valueOf(Objects.requireNonNull(lock).isValid());
          case "release" -> {
            Objects.requireNonNull(lock).release();
            yield "ok";
          }
          case "write" -> {
            channel.write(ByteBuffer.wrap(words[1].getBytes(StandardCharsets.UTF_8)), 0);
            yield "ok";
          }
          case "read" -> {
            ByteBuffer read = ByteBuffer.allocate(Integer.parseInt(words[1]));
            int count = channel.read(read, 0);
            yield new String(read.array(), 0, Math.max(0, count), StandardCharsets.UTF_8);
          }
          case "close" -> {
            channel.close();
            yield "ok";
          }
          case "open" -> {
            channel = open();
            yield "ok";
          }
          default -> "what?";
        };
      } catch (IOException | RuntimeException e) {
        return e.getClass().getSimpleName();
      }
    }
  }
}
