package luciola.cli.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** A set of files with relative names, read in one pass as often as wanted, in the same order. */
public sealed interface FileSource permits DirectorySource, SingleFileSource, TarSource, ZipSource {

  /** Where it comes from, for people. */
  String description();

  /**
   * Visits the regular files in order.
   *
   * @param filesMax stop after so many
   * @throws IOException if the source cannot be read or a visit fails
   */
  void visit(int filesMax, Visitor visitor) throws IOException;

  /** Receives the files. */
  @FunctionalInterface
  interface Visitor {
    /**
     * Takes one file.
     *
     * @param name relative, parts separated by {@code /}, never empty, {@code .} or {@code ..}
     *     inside
     * @param bytes its length
     * @param content its bytes; valid until this returns
     */
    void file(String name, long bytes, InputStream content) throws IOException;
  }

  /**
   * Opens what a path names, by its kind: a directory, a {@code .tar}, {@code .tar.gz}/{@code
   * .tgz}, {@code .zip}/{@code .jar}, or any other single file.
   *
   * @throws LuciolaException NOT_FOUND if there is nothing to read
   */
  static FileSource open(Path path) {
    if (!Files.isReadable(path)) {
      throw new LuciolaException(ErrorCode.NOT_FOUND, "open source: no readable path=" + path);
    }
    if (Files.isDirectory(path)) {
      return new DirectorySource(path);
    }
    Path fileName = path.getFileName();
    String name = fileName == null ? "" : fileName.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".tar")) {
      return new TarSource(path, false);
    }
    if (name.endsWith(".tar.gz") || name.endsWith(".tgz")) {
      return new TarSource(path, true);
    }
    if (name.endsWith(".zip") || name.endsWith(".jar")) {
      return new ZipSource(path);
    }
    return new SingleFileSource(path);
  }

  /**
   * A name from an archive as a safe relative name.
   *
   * @throws IOException if it would leave the tree
   */
  static String relativeName(String raw) throws IOException {
    String name = raw;
    while (name.startsWith("/") || name.startsWith("./")) {
      name = name.substring(name.startsWith("/") ? 1 : 2);
    }
    for (String part : name.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw new IOException("unsafe name in the archive: name=" + raw);
      }
    }
    return name;
  }
}
