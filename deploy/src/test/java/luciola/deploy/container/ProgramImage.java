package luciola.deploy.container;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.images.builder.ImageFromDockerfile;

/**
 * An image of the program from nothing: a runtime that jlink makes, the C library of this machine
 * and the classes that this test runs with. No registry is asked.
 */
final class ProgramImage {
  /** What the program starts with inside. */
  static final List<String> COMMAND =
      List.of(
          "/java/bin/java",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Xmx512m",
          "-Djava.library.path=/luciola/native",
          "-cp",
          "/luciola/lib/*:/luciola/classes",
          "luciola.cli.Main");

  private static final String MODULES =
      "java.base,jdk.incubator.vector,jdk.unsupported,java.net.http,jdk.httpserver,"
          + "java.management,java.logging,jdk.crypto.ec,java.naming,java.xml,jdk.management";

  private static final Pattern LIBRARY = Pattern.compile("(?:=> )?(/\\S+) \\(0x");

  private ProgramImage() {}

  /** Removes it again. */
  static void remove(String image) {
    DockerClientFactory.instance().client().removeImageCmd(image).withForce(true).exec();
  }

  /** Builds it in a folder; returns its name. */
  static String build(Path folder) throws IOException, InterruptedException {
    Path root = Files.createDirectories(folder.resolve("root"));
    Path java = root.resolve("java");
    run(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "jlink").toString(),
            "--add-modules",
            MODULES,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--output",
            java.toString()));
    addLibraries(java, root);
    addClasses(root.resolve("luciola"));
    Files.createDirectories(root.resolve("tmp"));
    Files.writeString(root.resolve("tmp/.keep"), "");
    Files.writeString(folder.resolve("Dockerfile"), "FROM scratch\nCOPY root /\n");
    String name = "localhost/luciola-faults-" + ProcessHandle.current().pid();
    var image = new ImageFromDockerfile(name, false);
    image.withFileFromPath(".", folder);
    return image.get();
  }

  /** The libraries that the runtime needs, at the same places as here. */
  private static void addLibraries(Path java, Path root) throws IOException, InterruptedException {
    var needed = new TreeSet<String>();
    for (Path binary : binaries(java)) {
      var found = LIBRARY.matcher(run(List.of("ldd", binary.toString())));
      while (found.find()) {
        needed.add(found.group(1));
      }
    }
    needed.removeIf(path -> path.startsWith(java.toString()));
    for (String path : needed) {
      copy(Path.of(path), root.resolve(path.substring(1)));
    }
    // RocksDB's library is opened by hand and needs the C++ runtime of the machine where it is not
    // linked in.
    for (String name :
        List.of("libstdc++.so.6", "libgcc_s.so.1", "librt.so.1", "libpthread.so.0")) {
      Path library = Path.of("/lib/x86_64-linux-gnu", name);
      if (Files.exists(library)) {
        copy(library, root.resolve("lib/x86_64-linux-gnu").resolve(name));
      }
    }
  }

  private static List<Path> binaries(Path java) throws IOException {
    List<Path> binaries = new ArrayList<>(List.of(java.resolve("bin/java")));
    try (Stream<Path> files = Files.walk(java.resolve("lib"))) {
      files.filter(file -> file.toString().endsWith(".so")).forEach(binaries::add);
    }
    return binaries;
  }

  private static void addClasses(Path home) throws IOException {
    Path lib = Files.createDirectories(home.resolve("lib"));
    Path classes = Files.createDirectories(home.resolve("classes"));
    Files.createDirectories(home.resolve("native"));
    int number = 0;
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      if (Files.isDirectory(path)) {
        copyTree(path, classes);
      } else if (entry.endsWith(".jar") && Files.exists(path) && ofTheProgram(path)) {
        copy(path, lib.resolve(String.format("%03d-%s", number++, path.getFileName())));
      }
    }
  }

  private static boolean ofTheProgram(Path jar) {
    String name = jar.getFileName().toString();
    return Stream.of("junit", "testcontainers", "docker-java", "jna", "archunit", "surefire")
        .noneMatch(name::startsWith);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (!Files.exists(target)) {
          copy(file, target);
        }
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Path parent = to.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.copy(from.toRealPath(), to, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0 && !command.getFirst().equals("ldd")) {
      throw new IOException(command + ": " + said);
    }
    return said;
  }
}
