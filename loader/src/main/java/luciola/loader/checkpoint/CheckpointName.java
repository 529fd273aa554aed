package luciola.loader.checkpoint;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of directories below the root. */
final class CheckpointName {
  private static final Pattern COMMITTED = Pattern.compile("step-(\\d{8,18})");
  private static final Pattern LEFTOVER =
      Pattern.compile("\\.step-\\d{8,18}\\.(tmp|removed)-[0-9a-f]{16}");

  private CheckpointName() {}

  static String committed(long step) {
    return "step-%08d".formatted(step);
  }

  static String beingWritten(long step, long nonce) {
    return ".%s.tmp-%016x".formatted(committed(step), nonce);
  }

  static String beingRemoved(long step, long nonce) {
    return ".%s.removed-%016x".formatted(committed(step), nonce);
  }

  /** The step of a committed checkpoint's directory; empty for any other name. */
  static Optional<Long> step(String name) {
    Matcher matcher = COMMITTED.matcher(name);
    return matcher.matches()
        ? Optional.of(Long.parseLong(matcher.group(1))).filter(s -> committed(s).equals(name))
        : Optional.empty();
  }

  static boolean isLeftover(String name) {
    return LEFTOVER.matcher(name).matches();
  }
}
