package luciola.loader.safetensors;

import java.util.Arrays;
import java.util.List;

/**
 * What a tensor is, wherever it lies.
 *
 * @param name non-empty, not the reserved {@code __metadata__}
 * @param shape sizes of the dimensions, row-major; empty for a scalar, a 0 for a tensor of no bytes
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) {
  static final String METADATA = "__metadata__";

  public TensorSpec {
    shape = List.copyOf(shape);
    if (name.isEmpty() || name.equals(METADATA)) {
      throw new IllegalArgumentException("not a tensor name: name=\"" + name + "\"");
    }
    if (bytesOf(dtype, shape) < 0) {
      throw new IllegalArgumentException(
          "no whole size: name=%s dtype=%s shape=%s".formatted(name, dtype, shape));
    }
  }

  /** A tensor of fp32 values. */
  public static TensorSpec ofFloats(String name, long... shape) {
    return new TensorSpec(name, DType.F32, Arrays.stream(shape).boxed().toList());
  }

  /** Number of elements. */
  public long elements() {
    return shape.stream().reduce(1L, (a, b) -> a * b);
  }

  /** Size in bytes. */
  public long bytes() {
    return bytesOf(dtype, shape);
  }

  /** Size in bytes; -1 where it overflows, a dimension is negative, or it is no whole byte. */
  static long bytesOf(DType dtype, List<Long> shape) {
    long elements = 1;
    boolean zero = shape.contains(0L);
    try {
      for (long dimension : shape) {
        if (dimension < 0) {
          return -1;
        }
        elements = zero ? 0 : Math.multiplyExact(elements, dimension);
      }
      long bits = Math.multiplyExact(elements, dtype.bits());
      return bits % 8 == 0 ? bits / 8 : -1;
    } catch (ArithmeticException _) {
      return -1;
    }
  }
}
