package luciola.loader.safetensors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/** Decodes headers and checks every rule of the format; one reader serves one file. */
final class HeaderReader {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String origin;

  HeaderReader(String origin) {
    this.origin = origin;
  }

  static int headerBytes(byte[] prefix, long fileBytes, String origin) {
    HeaderReader reader = new HeaderReader(origin);
    if (prefix.length < SafetensorsHeader.PREFIX_BYTES
        || fileBytes < SafetensorsHeader.PREFIX_BYTES) {
      throw reader.corrupt("file is shorter than its length field: fileBytes=" + fileBytes);
    }
    long jsonBytes = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (jsonBytes < 2 || jsonBytes > SafetensorsHeader.JSON_BYTES_MAX) {
      throw reader.corrupt(
          "header length out of range: jsonBytes=%s max=%d"
              .formatted(Long.toUnsignedString(jsonBytes), SafetensorsHeader.JSON_BYTES_MAX));
    }
    long headerBytes = SafetensorsHeader.PREFIX_BYTES + jsonBytes;
    if (headerBytes > fileBytes) {
      throw reader.corrupt(
          "header is cut off: headerBytes=%d fileBytes=%d".formatted(headerBytes, fileBytes));
    }
    return (int) headerBytes;
  }

  SafetensorsHeader decode(byte[] header, long fileBytes) {
    int headerBytes = headerBytes(header, fileBytes, origin);
    if (header.length != headerBytes) {
      throw corrupt(
          "header is cut off: headerBytes=%d present=%d".formatted(headerBytes, header.length));
    }
    Map<String, String> metadata = new TreeMap<>();
    List<TensorPlace> places = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : parse(header).properties()) {
      if (entry.getKey().equals(TensorSpec.METADATA)) {
        metadata(entry.getValue(), metadata);
      } else {
        places.add(tensor(entry.getKey(), entry.getValue()));
      }
    }
    places.sort(Comparator.comparingLong(TensorPlace::begin).thenComparingLong(TensorPlace::end));
    checkContiguous(places, fileBytes - headerBytes);
    return new SafetensorsHeader(metadata, places, headerBytes);
  }

  private JsonNode parse(byte[] header) {
    if (header[SafetensorsHeader.PREFIX_BYTES] != '{') {
      throw corrupt("header does not begin with {");
    }
    try {
      ByteBuffer json =
          ByteBuffer.wrap(
              header,
              SafetensorsHeader.PREFIX_BYTES,
              header.length - SafetensorsHeader.PREFIX_BYTES);
      return JSON.readTree(StandardCharsets.UTF_8.newDecoder().decode(json).toString());
    } catch (CharacterCodingException e) {
      throw corrupt("header is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw corrupt("header is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private void metadata(JsonNode node, Map<String, String> metadata) {
    if (!node.isObject()) {
      throw corrupt("__metadata__ is not an object");
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isTextual()) {
        throw corrupt("metadata is not text: key=" + entry.getKey());
      }
      metadata.put(entry.getKey(), entry.getValue().textValue());
    }
  }

  private TensorPlace tensor(String name, JsonNode node) {
    if (name.isEmpty()) {
      throw corrupt("tensor without a name");
    }
    if (!node.isObject() || node.size() != 3) {
      throw corrupt("tensor is not dtype, shape and data_offsets: name=" + name);
    }
    String type = node.path("dtype").asText();
    DType dtype =
        DType.named(type)
            .orElseThrow(() -> corrupt("unknown type: name=%s dtype=%s".formatted(name, type)));
    List<Long> shape = numbers(name, "shape", node.path("shape"));
    List<Long> offsets = numbers(name, "data_offsets", node.path("data_offsets"));
    long bytes = TensorSpec.bytesOf(dtype, shape);
    if (bytes < 0) {
      throw corrupt("no whole size: name=%s dtype=%s shape=%s".formatted(name, dtype, shape));
    }
    if (offsets.size() != 2 || offsets.get(1) - offsets.get(0) != bytes) {
      throw corrupt(
          "data_offsets do not fit the shape: name=%s dtype=%s shape=%s data_offsets=%s bytes=%d"
              .formatted(name, dtype, shape, offsets, bytes));
    }
    return new TensorPlace(new TensorSpec(name, dtype, shape), offsets.get(0), offsets.get(1));
  }

  private List<Long> numbers(String name, String field, JsonNode array) {
    if (!array.isArray()) {
      throw corrupt("field is not an array: name=%s field=%s".formatted(name, field));
    }
    List<Long> numbers = new ArrayList<>(array.size());
    for (JsonNode number : array) {
      if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
        throw corrupt(
            "not a size: name=%s field=%s value=%s".formatted(name, field, number.toString()));
      }
      numbers.add(number.longValue());
    }
    return numbers;
  }

  private void checkContiguous(List<TensorPlace> places, long dataBytes) {
    long next = 0;
    for (TensorPlace place : places) {
      if (place.begin() != next) {
        throw corrupt(
            "%s before tensor: name=%s begin=%d expected=%d"
                .formatted(
                    place.begin() > next ? "hole" : "overlap", place.name(), place.begin(), next));
      }
      next = place.end();
    }
    if (next != dataBytes) {
      throw corrupt(
          "data does not end with the file: tensors=%d data=%d".formatted(next, dataBytes));
    }
  }

  private LuciolaException corrupt(String reason) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA, "safetensors: file=%s: %s".formatted(origin, reason));
  }

  private LuciolaException corrupt(String reason, Exception cause) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA, "safetensors: file=%s: %s".formatted(origin, reason), cause);
  }
}
