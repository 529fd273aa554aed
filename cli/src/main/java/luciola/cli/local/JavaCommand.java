package luciola.cli.local;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import luciola.cli.Main;

/** Starts this program again as another process: same Java, same class path. */
public final class JavaCommand {
  /** What a process that computes with vectors needs, and others start slower with. */
  public static final String VECTORS = "--add-modules=jdk.incubator.vector";

  private static final List<String> FLAGS =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          "-Xlog:disable");

  /** Options of this JVM that the other one gets too. */
  private static final List<String> INHERITED = List.of("-XX:AOTCache=", "-Djava.library.path=");

  /**
   * Where RocksDB puts its library if it has to take it out of its jar. A killed process leaves the
   * copy behind: in the server's own folder it is found and replaced at the next start.
   */
  private static final String LIBRARY_FOLDER = "ROCKSDB_SHAREDLIB_DIR";

  private static final Path SETSID = Path.of("/usr/bin/setsid");

  private JavaCommand() {}

  /** The command line that runs the program with these arguments. */
  public static List<String> of(List<String> jvmOptions, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(FLAGS);
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> INHERITED.stream().anyMatch(argument::startsWith))
        .forEach(command::add);
    command.addAll(jvmOptions);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(arguments);
    return command;
  }

  /**
   * Starts a child that ends when this process does, by a pipe on its standard input; what it
   * prints goes to the end of {@code log}.
   */
  public static Process child(List<String> jvmOptions, List<String> arguments, Path log)
      throws IOException {
    return child(of(jvmOptions, arguments), log);
  }

  /** The same with a whole command line, which may begin with another program than Java. */
  public static Process child(List<String> command, Path log) throws IOException {
    return process(command, log)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  /**
   * Starts a child as {@link #child(List, Path)} does, but in a session of its own where that is
   * known: what a terminal sends to this process it does not get.
   */
  public static Process apart(List<String> command, Path log) throws IOException {
    List<String> whole = new ArrayList<>();
    if (Files.isExecutable(SETSID)) {
      whole.add(SETSID.toString());
    }
    whole.addAll(command);
    return child(whole, log);
  }

  /** Starts a process that goes on after this one, in a session of its own where that is known. */
  public static Process background(List<String> jvmOptions, List<String> arguments, Path log)
      throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(SETSID)) {
      command.add(SETSID.toString());
    }
    command.addAll(of(jvmOptions, arguments));
    return process(command, log)
        .redirectInput(new File("/dev/null"))
        .redirectOutput(ProcessBuilder.Redirect.to(log.toFile()))
        .start();
  }

  private static ProcessBuilder process(List<String> command, Path log) {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put(LIBRARY_FOLDER, log.toAbsolutePath().resolveSibling("").toString());
    return builder;
  }
}
