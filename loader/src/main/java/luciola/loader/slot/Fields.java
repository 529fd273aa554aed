package luciola.loader.slot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Fields of control messages; what is missing or of the wrong kind is named. */
public final class Fields {
  private Fields() {}

  /** A text that must be there. */
  public static String text(ObjectNode body, String name) {
    JsonNode field = body.path(name);
    if (!field.isTextual()) {
      throw new IllegalArgumentException("field must be a text: field=" + name);
    }
    return field.asText();
  }

  /** A whole number that must be there. */
  public static long number(ObjectNode body, String name) {
    JsonNode field = body.path(name);
    if (!field.isIntegralNumber() || !field.canConvertToLong()) {
      throw new IllegalArgumentException("field must be a whole number: field=" + name);
    }
    return field.asLong();
  }

  /** A whole number, or {@code absent}. */
  public static long number(ObjectNode body, String name, long absent) {
    return body.has(name) ? number(body, name) : absent;
  }

  /** A whole number of 32 bits that must be there. */
  public static int integer(ObjectNode body, String name) {
    long value = number(body, name);
    if (value < Integer.MIN_VALUE || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("field is too large: field=" + name + " value=" + value);
    }
    return (int) value;
  }

  /** A whole number of 32 bits, or {@code absent}. */
  public static int integer(ObjectNode body, String name, int absent) {
    return body.has(name) ? integer(body, name) : absent;
  }

  /** Whether it is true; false where it is left out. */
  public static boolean flag(ObjectNode body, String name) {
    JsonNode field = body.path(name);
    if (!field.isMissingNode() && !field.isBoolean()) {
      throw new IllegalArgumentException("field must be true or false: field=" + name);
    }
    return field.asBoolean();
  }
}
