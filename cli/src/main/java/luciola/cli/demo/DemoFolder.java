package luciola.cli.demo;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Path;

/** Removes what the demo has made. */
final class DemoFolder {
  private DemoFolder() {}

  static void remove(Path folder) throws IOException {
    // The folder is the demo's own; no one else renames things in it meanwhile.
    MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
  }
}
