package luciola.loader.safetensors;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

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

  /** Views of tensors that follow each other without gaps, to the end of the memory. */
  public static List<TensorView> over(MemorySegment memory, List<TensorSpec> specs) {
    List<TensorView> views = new ArrayList<>(specs.size());
    long offset = 0;
    for (TensorSpec spec : specs) {
      views.add(new TensorView(spec, memory.asSlice(offset, spec.bytes())));
      offset += spec.bytes();
    }
    if (offset != memory.byteSize()) {
      throw new IllegalArgumentException(
          "tensors do not fill the memory: tensors=%d memory=%d"
              .formatted(offset, memory.byteSize()));
    }
    return views;
  }

  public String name() {
    return spec.name();
  }

  /** The same memory under another name. */
  public TensorView renamed(String name) {
    return new TensorView(new TensorSpec(name, spec.dtype(), spec.shape()), data);
  }
}
