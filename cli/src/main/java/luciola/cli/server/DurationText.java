package luciola.cli.server;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations in configuration files: {@code 500ms}, {@code 10s}, {@code 5min}, {@code 6h}. */
final class DurationText extends StdScalarDeserializer<Duration> {
  private static final Pattern SHORT = Pattern.compile("([0-9]+) ?(ms|s|min|h)");

  DurationText() {
    super(Duration.class);
  }

  @Override
  public Duration deserialize(JsonParser parser, DeserializationContext context)
      throws IOException {
    String text = parser.getText();
    Matcher matcher = SHORT.matcher(text);
    try {
      return matcher.matches()
          ? of(Long.parseLong(matcher.group(1)), matcher.group(2))
          : Duration.parse(text);
    } catch (DateTimeException | ArithmeticException | NumberFormatException _) {
      throw InvalidFormatException.from(
          parser, "not a duration like 500ms, 10s, 5min or 6h: " + text, text, Duration.class);
    }
  }

  private static Duration of(long value, String unit) {
    return switch (unit) {
      case "ms" -> Duration.ofMillis(value);
      case "s" -> Duration.ofSeconds(value);
      case "min" -> Duration.ofMinutes(value);
      default -> Duration.ofHours(value);
    };
  }
}
