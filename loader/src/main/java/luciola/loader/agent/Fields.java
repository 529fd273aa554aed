package luciola.loader.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Fields of control messages; what is missing or of the wrong kind is named. */
final class Fields {
  private Fields() {}

  static String text(ObjectNode body, String name) {
    JsonNode field = body.path(name);
    if (!field.isTextual()) {
      throw new IllegalArgumentException("field must be a text: field=" + name);
    }
    return field.asText();
  }

  static long number(ObjectNode body, String name) {
    JsonNode field = body.path(name);
    if (!field.isIntegralNumber() || !field.canConvertToLong()) {
      throw new IllegalArgumentException("field must be a whole number: field=" + name);
    }
    return field.asLong();
  }

  static long number(ObjectNode body, String name, long absent) {
    return body.has(name) ? number(body, name) : absent;
  }

  static int integer(ObjectNode body, String name) {
    long value = number(body, name);
    if (value < Integer.MIN_VALUE || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("field is too large: field=" + name + " value=" + value);
    }
    return (int) value;
  }

  static int integer(ObjectNode body, String name, int absent) {
    return body.has(name) ? integer(body, name) : absent;
  }
}
