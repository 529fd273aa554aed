package luciola.cli.transfer;

import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * Names of files that are not whole yet, beside the file that they become: {@code
 * .luciola-0123456789abcdef}, of a copy in pieces {@code .luciola-….part} and {@code
 * .luciola-….done}. No command copies files of such names.
 */
final class Temporary {
  private static final Pattern NAME = Pattern.compile("\\.luciola-[0-9a-f]{16}(\\.part|\\.done)?");

  private Temporary() {}

  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** A name that nobody else has. */
  static String beside(String path) {
    return named(path, ThreadLocalRandom.current().nextLong());
  }

  /** The name of a copy of this source to this path, the same in every run. */
  static String beside(String path, String source, Found what) {
    String all =
        path + '\0' + source + '\0' + what.key() + ' ' + what.bytes() + ' ' + what.modifiedNanos();
    return named(path, Hashing.sha256().hashString(all, StandardCharsets.UTF_8).asLong());
  }

  private static String named(String path, long number) {
    return path.substring(0, path.lastIndexOf('/') + 1) + ".luciola-" + hex(number);
  }

  private static String hex(long number) {
    return String.format("%016x", number);
  }
}
