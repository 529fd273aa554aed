package luciola.cli.soak.load;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that a correct file system does not do.
 *
 * @param rule that was broken
 * @param where file and block
 * @param block the block it is about; null where it is about something else
 * @param expected what would have been right
 * @param got what came instead
 */
public record Violation(
    Instant at,
    String rule,
    String where,
    @Nullable BlockAddress block,
    String expected,
    String got) {
  /** The block it is about. */
  public Optional<BlockAddress> address() {
    return Optional.ofNullable(block);
  }

  @Override
  public String toString() {
    return "VIOLATION at="
        + at
        + " rule="
        + rule
        + " where="
        + where
        + address().map(each -> " chunk=" + each.chunk() + " offset=" + each.offset()).orElse("")
        + " expected: "
        + expected
        + " got: "
        + got;
  }
}
