package luciola.loader.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Encodes headers; the same header gives the same bytes. */
final class HeaderWriter {
  private static final JsonFactory JSON = new JsonFactory();

  private HeaderWriter() {}

  static long alignedDataStart(Map<String, String> metadata, List<TensorPlace> places) {
    long least = SafetensorsHeader.PREFIX_BYTES + (long) json(metadata, places).length;
    return Math.ceilDiv(least, SafetensorsHeader.DATA_ALIGNMENT)
        * (long) SafetensorsHeader.DATA_ALIGNMENT;
  }

  static byte[] encode(SafetensorsHeader header) {
    byte[] json = json(header.metadata(), header.tensors());
    long jsonBytes = header.dataStart() - SafetensorsHeader.PREFIX_BYTES;
    if (jsonBytes < json.length || jsonBytes > SafetensorsHeader.JSON_BYTES_MAX) {
      throw new IllegalArgumentException(
          "header does not fit before its data: dataStart=%d jsonBytes=%d max=%d"
              .formatted(header.dataStart(), json.length, SafetensorsHeader.JSON_BYTES_MAX));
    }
    byte[] bytes = new byte[Math.toIntExact(header.dataStart())];
    Arrays.fill(bytes, (byte) ' ');
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(jsonBytes).put(json);
    return bytes;
  }

  private static byte[] json(Map<String, String> metadata, List<TensorPlace> places) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator generator = JSON.createGenerator(out)) {
      generator.writeStartObject();
      if (!metadata.isEmpty()) {
        generator.writeObjectFieldStart(TensorSpec.METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          generator.writeStringField(entry.getKey(), entry.getValue());
        }
        generator.writeEndObject();
      }
      for (TensorPlace place : places) {
        write(generator, place);
      }
      generator.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void write(JsonGenerator generator, TensorPlace place) throws IOException {
    generator.writeObjectFieldStart(place.name());
    generator.writeStringField("dtype", place.spec().dtype().name());
    generator.writeArrayFieldStart("shape");
    for (long dimension : place.spec().shape()) {
      generator.writeNumber(dimension);
    }
    generator.writeEndArray();
    generator.writeArrayFieldStart("data_offsets");
    generator.writeNumber(place.begin());
    generator.writeNumber(place.end());
    generator.writeEndArray();
    generator.writeEndObject();
  }
}
