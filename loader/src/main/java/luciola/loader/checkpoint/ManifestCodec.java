package luciola.loader.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import luciola.loader.checkpoint.Manifest.Box;
import luciola.loader.checkpoint.Manifest.FileEntry;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * The manifest as JSON. Two lines: the manifest itself as one JSON object, and the CRC32C of that
 * line's bytes as {@code {"crc32c":"…"}}; so any JSON reader takes it as a stream of two values.
 */
final class ManifestCodec {
  static final String FORMAT = "luciola.checkpoint";
  static final int VERSION = 1;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String origin;

  private ManifestCodec(String origin) {
    this.origin = origin;
  }

  static byte[] encode(Manifest manifest) {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", FORMAT);
    root.put("version", VERSION);
    root.put("step", manifest.step());
    root.put("position", manifest.position());
    ObjectNode metadata = root.putObject("metadata");
    manifest.metadata().forEach(metadata::put);
    ArrayNode files = root.putArray("files");
    manifest.files().forEach(file -> encode(file, files.addObject()));
    String line = root.toString();
    return (line + "\n" + crcLine(line) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static void encode(FileEntry file, ObjectNode node) {
    node.put("name", file.name());
    node.put("bytes", file.bytes());
    node.put("header_bytes", file.headerBytes());
    node.put("header_crc32c", hex(file.headerCrc()));
    ArrayNode boxes = node.putArray("boxes");
    for (Box box : file.boxes()) {
      ObjectNode item = boxes.addObject();
      item.put("tensor", box.tensor());
      item.put("rank", box.rank());
      box.start().forEach(item.putArray("start")::add);
      box.size().forEach(item.putArray("size")::add);
      item.putArray("data_offsets").add(box.begin()).add(box.end());
      item.put("crc32c", hex(box.crc()));
    }
  }

  private static String crcLine(String line) {
    CRC32C crc = new CRC32C();
    crc.update(line.getBytes(StandardCharsets.UTF_8));
    return "{\"crc32c\":\"" + hex((int) crc.getValue()) + "\"}";
  }

  private static String hex(int crc) {
    return HexFormat.of().toHexDigits(crc);
  }

  /**
   * Decodes and checks.
   *
   * @param origin names the file in errors
   */
  static Manifest decode(byte[] bytes, String origin) {
    return new ManifestCodec(origin).decode(new String(bytes, StandardCharsets.UTF_8));
  }

  private Manifest decode(String text) {
    int lineEnd = text.indexOf('\n');
    if (lineEnd < 0 || lineEnd == text.length() - 1 || !text.endsWith("\n")) {
      throw corrupt("cut off: characters=" + text.length());
    }
    String line = text.substring(0, lineEnd);
    String crc = text.substring(lineEnd + 1, text.length() - 1);
    if (!crc.equals(crcLine(line))) {
      throw corrupt("checksum does not match: expected=%s found=%s".formatted(crc, crcLine(line)));
    }
    try {
      return manifest(JSON.readTree(line));
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new LuciolaException(
          ErrorCode.CORRUPT_DATA, "checkpoint: manifest=%s: not valid".formatted(origin), e);
    }
  }

  private Manifest manifest(JsonNode root) {
    if (!FORMAT.equals(text(root, "format"))) {
      throw corrupt("not a checkpoint: format=" + text(root, "format"));
    }
    if (number(root, "version") > VERSION) {
      throw new LuciolaException(
          ErrorCode.FORMAT_TOO_NEW,
          "checkpoint: manifest=%s version=%d known=%d: use a newer program"
              .formatted(origin, number(root, "version"), VERSION));
    }
    Map<String, String> metadata = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("metadata").properties()) {
      metadata.put(entry.getKey(), entry.getValue().asText());
    }
    List<FileEntry> files = new ArrayList<>();
    for (JsonNode file : root.path("files")) {
      files.add(file(file));
    }
    return new Manifest(number(root, "step"), text(root, "position"), metadata, files);
  }

  private FileEntry file(JsonNode node) {
    List<Box> boxes = new ArrayList<>();
    for (JsonNode box : node.path("boxes")) {
      List<Long> offsets = numbers(box, "data_offsets");
      if (offsets.size() != 2) {
        throw corrupt("no range: data_offsets=" + offsets);
      }
      boxes.add(
          new Box(
              text(box, "tensor"),
              Math.toIntExact(number(box, "rank")),
              numbers(box, "start"),
              numbers(box, "size"),
              offsets.get(0),
              offsets.get(1),
              crc(box, "crc32c")));
    }
    return new FileEntry(
        text(node, "name"),
        number(node, "bytes"),
        Math.toIntExact(number(node, "header_bytes")),
        crc(node, "header_crc32c"),
        boxes);
  }

  private String text(JsonNode node, String field) {
    if (!node.path(field).isTextual()) {
      throw corrupt("no text: field=" + field);
    }
    return node.path(field).textValue();
  }

  private long number(JsonNode node, String field) {
    JsonNode value = node.path(field);
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
      throw corrupt("no number: field=" + field);
    }
    return value.longValue();
  }

  private List<Long> numbers(JsonNode node, String field) {
    List<Long> numbers = new ArrayList<>();
    for (JsonNode value : node.path(field)) {
      if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
        throw corrupt("no number: field=" + field);
      }
      numbers.add(value.longValue());
    }
    return numbers;
  }

  private int crc(JsonNode node, String field) {
    return HexFormat.fromHexDigits(text(node, field));
  }

  private LuciolaException corrupt(String reason) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA, "checkpoint: manifest=%s: %s".formatted(origin, reason));
  }
}
