package luciola.cli.operate;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import luciola.cli.terminal.CommandFailure;

/** Numbers with units and names with values, as operators write them. */
final class Quantity {
  private static final Pattern NUMBER = Pattern.compile("([0-9]{1,18}) ?([A-Za-z]*)");
  private static final List<String> BINARY = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB");

  private static final List<String> THOUSANDS = List.of("", "k", "M", "G");

  private static final long DAYS_MAX = 36_500;

  private Quantity() {}

  /** Bytes: {@code 4096}, {@code 200MiB}. */
  static long bytes(String name, String text) {
    Matcher matcher = NUMBER.matcher(text);
    if (matcher.matches()) {
      int unit = matcher.group(2).isEmpty() ? 0 : BINARY.indexOf(matcher.group(2));
      long value = Long.parseLong(matcher.group(1));
      if (unit >= 0 && value <= Long.MAX_VALUE >> (10 * unit)) {
        return value << (10 * unit);
      }
    }
    throw CommandFailure.wrongUse(name + ": bytes like 4096, 64KiB or 200MiB: " + text);
  }

  /** A time in nanoseconds: {@code 500ms}, {@code 30s}, {@code 5min}, {@code 2h}, {@code 30d}. */
  static long nanos(String name, String text) {
    Matcher matcher = NUMBER.matcher(text);
    if (matcher.matches() && matcher.group(1).length() <= 6) {
      long value = Long.parseLong(matcher.group(1));
      switch (matcher.group(2)) {
        case "ms" -> {
          return value * 1_000_000;
        }
        case "s" -> {
          return value * 1_000_000_000;
        }
        case "min" -> {
          return value * 60_000_000_000L;
        }
        case "h" -> {
          return value * 3_600_000_000_000L;
        }
        case "d" -> {
          return Math.min(value, DAYS_MAX) * 86_400_000_000_000L;
        }
        default -> {}
      }
    }
    throw CommandFailure.wrongUse(name + ": a time like 500ms, 30s, 5min, 2h or 30d: " + text);
  }

  /** The number of a user or group, as 32 bits. */
  static int number(String name, long value) {
    if (value < 0 || value >= 0xffff_ffffL) {
      throw CommandFailure.wrongUse(name + ": from 0 to 4294967294: " + value);
    }
    return (int) value;
  }

  /** A whole number, 0 or more. */
  static int count(String name, String text) {
    if (text.matches("[0-9]{1,9}")) {
      return Integer.parseInt(text);
    }
    throw CommandFailure.wrongUse(name + ": a whole number: " + text);
  }

  /** Many of something: {@code 4096}, {@code 200k}, {@code 5M}, {@code 1G}. */
  static long amount(String name, String text) {
    Matcher matcher = NUMBER.matcher(text);
    if (matcher.matches()) {
      int thousands = THOUSANDS.indexOf(matcher.group(2));
      long value = Long.parseLong(matcher.group(1));
      long unit = thousands < 0 ? 0 : (long) Math.pow(1000, thousands);
      if (unit > 0 && value <= Long.MAX_VALUE / unit) {
        return value * unit;
      }
    }
    throw CommandFailure.wrongUse(name + ": a number like 4096, 200k, 5M or 1G: " + text);
  }

  /** The number of a node, target or chain, 1 or more. */
  static long id(String kind, String text) {
    if (text.matches("[0-9]{1,18}") && Long.parseLong(text) > 0) {
      return Long.parseLong(text);
    }
    throw CommandFailure.wrongUse("not the number of a " + kind + ": " + text);
  }

  /** Numbers of nodes, targets or chains. */
  static List<Long> ids(String kind, List<String> texts) {
    return texts.stream().map(text -> id(kind, text)).toList();
  }

  /** {@code name=value} pairs; an empty value is allowed. */
  static Map<String, String> pairs(List<String> texts) {
    var pairs = new TreeMap<String, String>();
    for (String text : texts) {
      int equals = text.indexOf('=');
      if (equals < 1 || pairs.put(text.substring(0, equals), text.substring(equals + 1)) != null) {
        throw CommandFailure.wrongUse("NAME=VALUE, each name once: " + text);
      }
    }
    return pairs;
  }
}
