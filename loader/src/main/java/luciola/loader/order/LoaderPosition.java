package luciola.loader.order;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;

/**
 * Where a run stands in its data: all that a checkpoint has to keep of the loader. It holds for
 * every rank and every number of ranks, because it counts samples of the whole run.
 *
 * @param planFingerprint {@link OrderPlan#fingerprint} of the plan it belongs to
 * @param seed of the plan it belongs to
 * @param epoch 0 at first
 * @param samplesDone samples of this epoch that all ranks together have been given
 */
public record LoaderPosition(long planFingerprint, long seed, long epoch, long samplesDone) {
  private static final Pattern TEXT =
      Pattern.compile(
          "luciola-position/1 plan=([0-9a-f]{16}) seed=(-?\\d{1,19}) epoch=(\\d{1,19})"
              + " done=(\\d{1,19})");

  public LoaderPosition {
    if (epoch < 0 || samplesDone < 0) {
      throw new IllegalArgumentException(
          "epoch and samplesDone must be non-negative: epoch="
              + epoch
              + " samplesDone="
              + samplesDone);
    }
  }

  /** One line that {@link #parse} reads back. */
  public String text() {
    return "luciola-position/1 plan=%016x seed=%d epoch=%d done=%d"
        .formatted(planFingerprint, seed, epoch, samplesDone);
  }

  /** Reads {@link #text}; WRONG_POSITION for anything else. */
  public static LoaderPosition parse(String text) {
    Matcher fields = TEXT.matcher(text.strip());
    if (!fields.matches()) {
      throw unreadable(text, null);
    }
    try {
      return new LoaderPosition(
          Long.parseUnsignedLong(fields.group(1), 16),
          Long.parseLong(fields.group(2)),
          Long.parseLong(fields.group(3)),
          Long.parseLong(fields.group(4)));
    } catch (NumberFormatException e) {
      throw unreadable(text, e);
    }
  }

  private static LuciolaException unreadable(String text, @Nullable Throwable cause) {
    String shown = text.length() > 120 ? text.substring(0, 120) + "…" : text;
    return new LuciolaException(
        ErrorCode.WRONG_POSITION,
        "read loader position: not a position of this version: text=\"" + shown + "\"",
        cause);
  }
}
