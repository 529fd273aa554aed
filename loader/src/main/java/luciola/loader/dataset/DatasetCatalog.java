package luciola.loader.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import luciola.client.LuciolaFileSystem;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;

/**
 * {@code dataset.json}: what a dataset directory holds, small enough to read at once.
 *
 * @param type of tokens; U8 for records
 * @param fingerprint of the content: equal exactly when kind, type and every byte of every sample
 *     are (as far as their CRC32Cs tell)
 * @param tokens elements of all documents; of records, bytes of all samples
 * @param documents documents, or records
 * @param shards data files in the order of their samples
 */
public record DatasetCatalog(
    DatasetKind kind,
    TokenType type,
    long fingerprint,
    long tokens,
    long documents,
    List<Shard> shards) {
  /** Name of the catalog in the dataset's directory. */
  public static final String FILE = "dataset.json";

  static final int VERSION = 1;
  private static final long BYTES_MAX = 64 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One data file.
   *
   * @param file name inside the directory
   * @param bytes its length
   * @param samples documents or records in it
   * @param crc32c of tokens, of the whole {@code .bin}; of records, of the shard's index
   */
  public record Shard(String file, long bytes, long samples, int crc32c) {}

  public DatasetCatalog {
    shards = List.copyOf(shards);
  }

  static DatasetCatalog of(
      DatasetKind kind, TokenType type, long tokens, long documents, List<Shard> shards) {
    StringBuilder line = new StringBuilder("luciola-dataset/1 ");
    line.append(kind.label()).append(' ').append(type.label());
    line.append(" tokens=").append(tokens).append(" documents=").append(documents);
    for (Shard shard : shards) {
      line.append(" [%d %d %08x]".formatted(shard.bytes(), shard.samples(), shard.crc32c()));
    }
    long fingerprint = Fingerprint.of(line.toString());
    return new DatasetCatalog(kind, type, fingerprint, tokens, documents, shards);
  }

  byte[] encode() {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", "luciola-dataset").put("version", VERSION).put("kind", kind.label());
    root.put("type", type.label()).put("fingerprint", Fingerprint.hex(fingerprint));
    root.put("tokens", tokens).put("documents", documents);
    for (Shard shard : shards) {
      ObjectNode entry = root.withArray("shards").addObject();
      entry.put("file", shard.file()).put("bytes", shard.bytes()).put("samples", shard.samples());
      entry.put("crc32c", "%08x".formatted(shard.crc32c()));
    }
    try {
      byte[] text = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
      return (new String(text, StandardCharsets.UTF_8) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values always encodes", e);
    }
  }

  /** Reads the catalog of a dataset directory. */
  static DatasetCatalog read(LuciolaFileSystem files, String directory) {
    String path = directory + "/" + FILE;
    byte[] text;
    try (Arena arena = Arena.ofShared()) {
      text = FileBytes.readAll(files, path, BYTES_MAX, arena).toArray(ValueLayout.JAVA_BYTE);
    }
    return decode(text, path);
  }

  static DatasetCatalog decode(byte[] text, String path) {
    try {
      JsonNode root = JSON.readTree(text);
      if (!root.path("format").asText().equals("luciola-dataset")) {
        throw corrupt(path, "not a dataset catalog", null);
      }
      if (root.path("version").asInt() != VERSION) {
        throw new LuciolaException(
            ErrorCode.FORMAT_TOO_NEW,
            "read dataset catalog: path="
                + path
                + " version="
                + root.path("version")
                + " newestKnown="
                + VERSION);
      }
      List<Shard> shards = new ArrayList<>();
      for (JsonNode entry : root.required("shards")) {
        shards.add(shard(entry));
      }
      return new DatasetCatalog(
          kind(root.required("kind").asText()),
          TokenType.ofLabel(root.required("type").asText()),
          Long.parseUnsignedLong(root.required("fingerprint").asText(), 16),
          root.required("tokens").asLong(),
          root.required("documents").asLong(),
          shards);
    } catch (java.io.IOException | IllegalArgumentException e) {
      throw corrupt(
          path, "unreadable: " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""), e);
    }
  }

  private static Shard shard(JsonNode entry) {
    String name = entry.required("file").asText();
    if (name.isEmpty() || name.contains("/") || name.startsWith(".")) {
      throw new IllegalArgumentException("shard is no plain file name: file=" + name);
    }
    return new Shard(
        name,
        entry.required("bytes").asLong(),
        entry.required("samples").asLong(),
        Integer.parseUnsignedInt(entry.required("crc32c").asText(), 16));
  }

  private static DatasetKind kind(String label) {
    for (DatasetKind kind : DatasetKind.values()) {
      if (kind.label().equals(label)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("unknown kind: kind=" + label);
  }

  private static LuciolaException corrupt(
      String path, String problem, @org.jspecify.annotations.Nullable Throwable cause) {
    return new LuciolaException(
        ErrorCode.CORRUPT_DATA, "read dataset catalog: " + problem + ": path=" + path, cause);
  }
}
