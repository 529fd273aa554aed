package luciola.loader.safetensors;

import java.lang.foreign.MemorySegment;

/**
 * A tensor in memory: row-major, little-endian, without gaps.
 *
 * @param data heap or native memory of exactly the tensor's size, owned by whoever made the view
 */
public record TensorView(TensorSpec spec, MemorySegment data) {
  public TensorView {
    if (data.byteSize() != spec.bytes()) {
      throw new IllegalArgumentException(
          "memory does not fit the tensor: name=%s bytes=%d memory=%d"
              .formatted(spec.name(), spec.bytes(), data.byteSize()));
    }
  }

  public String name() {
    return spec.name();
  }

  /** The same memory under another name. */
  public TensorView renamed(String name) {
    return new TensorView(new TensorSpec(name, spec.dtype(), spec.shape()), data);
  }
}
