package luciola.loader.safetensors;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The header of a safetensors file.
 *
 * <pre>
 * 0       u64   N, length of the JSON with its padding, little-endian
 * 8       JSON  {"__metadata__":{…},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}
 *               then spaces, so that 8 + N is a multiple of 4096
 * 8 + N         tensor bytes, without holes, to the end of the file
 * </pre>
 *
 * @param metadata free text by key
 * @param tensors in the order of their bytes; they follow each other from 0 without holes
 * @param dataStart where the tensor bytes begin in the file, 8 + N
 */
public record SafetensorsHeader(
    Map<String, String> metadata, List<TensorPlace> tensors, long dataStart) {
  /** Our files' data begins at a multiple of this. */
  public static final int DATA_ALIGNMENT = 4096;

  /** The format's bound on N. */
  public static final long JSON_BYTES_MAX = 100_000_000;

  /** Bytes before the JSON. */
  public static final int PREFIX_BYTES = 8;

  private static final Comparator<TensorSpec> WRITING_ORDER =
      Comparator.comparing(TensorSpec::dtype, Comparator.reverseOrder())
          .thenComparing(TensorSpec::name);

  public SafetensorsHeader {
    metadata = Collections.unmodifiableMap(new TreeMap<>(metadata));
    tensors = List.copyOf(tensors);
    Set<String> names = new HashSet<>();
    long next = 0;
    for (TensorPlace place : tensors) {
      if (place.begin() != next) {
        throw new IllegalArgumentException(
            "tensors must follow each other: name=%s begin=%d expected=%d"
                .formatted(place.name(), place.begin(), next));
      }
      if (!names.add(place.name())) {
        throw new IllegalArgumentException("tensor named twice: name=" + place.name());
      }
      next = place.end();
    }
  }

  /** Lays the tensors out in the format's writing order: higher rank of type first, then name. */
  public static SafetensorsHeader of(Map<String, String> metadata, List<TensorSpec> specs) {
    List<TensorPlace> places = new ArrayList<>(specs.size());
    long offset = 0;
    for (TensorSpec spec : specs.stream().sorted(WRITING_ORDER).toList()) {
      long end = Math.addExact(offset, spec.bytes());
      places.add(new TensorPlace(spec, offset, end));
      offset = end;
    }
    return new SafetensorsHeader(metadata, places, HeaderWriter.alignedDataStart(metadata, places));
  }

  /**
   * The length of the header by its first 8 bytes, both included.
   *
   * @param fileBytes length of the whole file
   * @param origin names the file in errors
   * @throws luciola.protocol.error.LuciolaException CORRUPT_DATA if it cannot be
   */
  public static int headerBytes(byte[] prefix, long fileBytes, String origin) {
    return HeaderReader.headerBytes(prefix, fileBytes, origin);
  }

  /**
   * Reads and checks a header: the 8 bytes and the JSON, with all the format's rules.
   *
   * @param fileBytes length of the whole file; the tensors must end exactly there
   * @param origin names the file in errors
   * @throws luciola.protocol.error.LuciolaException CORRUPT_DATA if a rule is broken
   */
  public static SafetensorsHeader decode(byte[] header, long fileBytes, String origin) {
    return new HeaderReader(origin).decode(header, fileBytes);
  }

  /** The header as it is written at the start of a file: {@link #dataStart} bytes. */
  public byte[] encode() {
    return HeaderWriter.encode(this);
  }

  /** The tensor of that name. */
  public Optional<TensorPlace> find(String name) {
    return tensors.stream().filter(place -> place.name().equals(name)).findFirst();
  }

  /** Bytes of all tensors. */
  public long dataBytes() {
    return tensors.isEmpty() ? 0 : tensors.getLast().end();
  }

  /** Length of the file. */
  public long fileBytes() {
    return dataStart + dataBytes();
  }
}
