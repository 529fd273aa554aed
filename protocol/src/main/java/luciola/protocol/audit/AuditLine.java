package luciola.protocol.audit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * One line, {@code name=value} after {@code name=value}. Values come from whoever calls: what could
 * be taken for another field or line is quoted, and long ones are cut.
 */
public final class AuditLine {
  /** The most characters of one value. */
  static final int VALUE_MAX = 512;

  private final List<String> fields = new ArrayList<>();

  /** One more field. */
  public AuditLine with(String name, Object value) {
    fields.add(name + "=" + quoted(String.valueOf(value)));
    return this;
  }

  private static String quoted(String value) {
    String cut = value.length() > VALUE_MAX ? value.substring(0, VALUE_MAX) + "…" : value;
    boolean plain =
        !cut.isEmpty()
            && cut.chars().allMatch(c -> c > ' ' && c != '"' && c != '\\' && c != '=' && c < 0x7f);
    if (plain) {
      return cut;
    }
    var out = new StringBuilder("\"");
    cut.chars()
        .forEach(c -> {
          if (c == '"' || c == '\\') {
            out.append('\\').append((char) c);
          } else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029) {
            out.append(String.format("\\u%04x", c));
          } else {
            out.append((char) c);
          }
        });
    return out.append('"').toString();
  }

  /** The line as of a time since 1970, without its end. */
  String text(long nowNanos) {
    return "time="
        + Instant.ofEpochSecond(nowNanos / 1_000_000_000, nowNanos % 1_000_000_000)
        + " "
        + String.join(" ", fields);
  }
}
