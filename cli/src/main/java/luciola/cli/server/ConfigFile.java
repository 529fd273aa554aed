package luciola.cli.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import luciola.cli.terminal.CommandFailure;

/**
 * Configuration as TOML: the keys are the components of a record, tables are records in it. Keys
 * that are left out keep their defaults; a key that the record does not have is refused, because a
 * mistyped one would be a setting that silently does nothing.
 */
public final class ConfigFile {
  private static final TomlMapper TOML =
      TomlMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
          .addModule(
              new SimpleModule()
                  .addSerializer(Path.class, new ToStringSerializer(Path.class))
                  .addSerializer(Duration.class, new ToStringSerializer(Duration.class))
                  .addDeserializer(Duration.class, new DurationText()))
          .build();

  /**
   * A value that the TOML library would cut to its last ten digits without a word (its issue 663).
   */
  private static final Pattern LONG_NUMBER =
      Pattern.compile("(?m)^[^#\\n]*=\\s*[+-]?((?:\\d_?){19,})\\s*(?:[#,}]|$)");

  private static final Pattern WRITTEN_LONG = Pattern.compile("(?m)= (\\d{19,})$");

  private ConfigFile() {}

  /**
   * The defaults with what the file says laid over them.
   *
   * @param required keys that have no default
   * @throws CommandFailure wrong use, naming the file and the key
   */
  public static <T extends Record> T read(Path file, T defaults, String... required) {
    ObjectNode values = TOML.valueToTree(defaults);
    JsonNode said = parse(file);
    overlay(file, "", values, said);
    for (String key : required) {
      if (!said.has(key)) {
        throw CommandFailure.wrongUse(file + ": missing key " + key);
      }
    }
    try {
      @SuppressWarnings("unchecked")
      var type = (Class<T>) defaults.getClass();
      return TOML.treeToValue(values, type);
    } catch (ValueInstantiationException refused) {
      Throwable cause = refused.getCause() == null ? refused : refused.getCause();
      throw CommandFailure.wrongUse(file + ": " + cause.getMessage());
    } catch (JsonProcessingException wrongType) {
      throw CommandFailure.wrongUse(file + ": " + wrongType.getOriginalMessage());
    }
  }

  /** Every value in one line, as it is logged once at the start. */
  public static String line(Record config) {
    var flat = new TreeMap<String, String>();
    flatten("", TOML.valueToTree(config), flat);
    List<String> pairs = new ArrayList<>();
    flat.forEach((key, value) -> pairs.add(key + "=" + value));
    return String.join(" ", pairs);
  }

  /** Writes a record as a file that {@link #read} takes. */
  public static void write(Path file, Record config) throws IOException {
    String text = TOML.writeValueAsString(config);
    Files.writeString(
        file,
        WRITTEN_LONG
            .matcher(text)
            .replaceAll(found -> "= 0x" + Long.toHexString(Long.parseLong(found.group(1)))));
  }

  private static JsonNode parse(Path file) {
    try {
      String text = Files.readString(file);
      Matcher tooLong = LONG_NUMBER.matcher(text);
      if (tooLong.find()) {
        throw CommandFailure.wrongUse(
            file
                + ": "
                + tooLong.group(1)
                + " has more than 18 digits; write it as 0x… with hexadecimal digits");
      }
      return TOML.readTree(text);
    } catch (NoSuchFileException missing) {
      throw CommandFailure.wrongUse("no such configuration file: " + file);
    } catch (JsonProcessingException syntax) {
      var at = syntax.getLocation();
      throw CommandFailure.wrongUse(
          file
              + (at == null ? "" : " line " + at.getLineNr())
              + " is not TOML: "
              + syntax.getOriginalMessage().lines().findFirst().orElse(""));
    } catch (IOException failure) {
      throw CommandFailure.wrongUse("cannot read " + file + ": " + failure.getMessage());
    }
  }

  private static void overlay(Path file, String prefix, ObjectNode values, JsonNode said) {
    said.properties()
        .forEach(entry -> {
          String key = entry.getKey();
          JsonNode known = values.get(key);
          if (known == null) {
            List<String> keys = new ArrayList<>();
            values.fieldNames().forEachRemaining(name -> keys.add(prefix + name));
            throw CommandFailure.wrongUse(
                file + ": unknown key " + prefix + key + "; known are " + keys);
          }
          if (known instanceof ObjectNode table
              && !table.isEmpty()
              && entry.getValue().isObject()) {
            overlay(file, prefix + key + ".", table, entry.getValue());
          } else {
            values.set(key, entry.getValue());
          }
        });
  }

  private static void flatten(String prefix, JsonNode node, Map<String, String> flat) {
    node.properties()
        .forEach(entry -> {
          JsonNode value = entry.getValue();
          String key = prefix + entry.getKey();
          if (value.isObject() && !value.isEmpty()) {
            flatten(key + ".", value, flat);
          } else {
            flat.put(key, value.isTextual() ? value.asText() : value.toString());
          }
        });
  }
}
