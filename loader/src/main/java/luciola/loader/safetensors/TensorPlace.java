package luciola.loader.safetensors;

/**
 * A tensor and where it lies in its file.
 *
 * @param begin first byte, counted from the start of the file's data
 * @param end byte after the last
 */
public record TensorPlace(TensorSpec spec, long begin, long end) {
  public TensorPlace {
    if (begin < 0 || end - begin != spec.bytes()) {
      throw new IllegalArgumentException(
          "place does not fit the tensor: name=%s begin=%d end=%d bytes=%d"
              .formatted(spec.name(), begin, end, spec.bytes()));
    }
  }

  public String name() {
    return spec.name();
  }

  public long bytes() {
    return end - begin;
  }
}
