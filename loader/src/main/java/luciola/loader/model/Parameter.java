package luciola.loader.model;

import luciola.loader.safetensors.TensorSpec;

/**
 * A named slice of the flat parameters.
 *
 * @param spec fp32; a matrix is [inputs, outputs]
 * @param offset of its first value in the flat array
 * @param deviation standard deviation of its first values; 0 for those that start as 1
 */
record Parameter(TensorSpec spec, int offset, double deviation) {
  int elements() {
    return Math.toIntExact(spec.elements());
  }

  int end() {
    return offset + elements();
  }

  boolean isMatrix() {
    return spec.shape().size() == 2;
  }

  int inputs() {
    return Math.toIntExact(spec.shape().get(0));
  }

  int outputs() {
    return Math.toIntExact(spec.shape().get(1));
  }
}
