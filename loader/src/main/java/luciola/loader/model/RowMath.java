package luciola.loader.model;

import static luciola.loader.model.Gemm.LANES;
import static luciola.loader.model.Gemm.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * What the model does with single rows. Sums are taken by lane and then over the lanes in order:
 * the Vector API's own reduction leaves the order open, so it could differ between interpreted and
 * compiled code.
 */
final class RowMath {
  /** Adding it rounds a small float to an integer, which is then in the low bits. */
  private static final float ROUNDER = 12582912f;

  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 6.933594e-1f;
  private static final float LN2_LOW = -2.1219444e-4f;

  private final float[] lanes = new float[LANES];

  /** Sum of products of two rows. */
  float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    FloatVector sum = FloatVector.zero(SPECIES);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      sum =
          FloatVector.fromArray(SPECIES, a, aOffset + i)
              .fma(FloatVector.fromArray(SPECIES, b, bOffset + i), sum);
    }
    float rest = 0;
    for (; i < length; i++) {
      rest = Math.fma(a[aOffset + i], b[bOffset + i], rest);
    }
    return sumOfLanes(sum) + rest;
  }

  private float sumOfLanes(FloatVector vector) {
    vector.intoArray(lanes, 0);
    float sum = 0;
    for (float lane : lanes) {
      sum += lane;
    }
    return sum;
  }

  private static float max(float[] a, int offset, int length) {
    FloatVector max = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      max = max.max(FloatVector.fromArray(SPECIES, a, offset + i));
    }
    float result = max.reduceLanes(VectorOperators.MAX); // exact in any order
    for (; i < length; i++) {
      result = Math.max(result, a[offset + i]);
    }
    return result;
  }

  /**
   * Replaces a row by {@code exp(scale · (x − max))}, without dividing by their sum.
   *
   * @param scale positive
   * @return the sum
   */
  float exponentials(float[] a, int offset, int length, float scale) {
    float max = max(a, offset, length);
    FloatVector sum = FloatVector.zero(SPECIES);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = exp(FloatVector.fromArray(SPECIES, a, offset + i).sub(max).mul(scale));
      value.intoArray(a, offset + i);
      sum = sum.add(value);
    }
    if (i < length) {
      VectorMask<Float> mask = SPECIES.indexInRange(i, length);
      FloatVector value =
          exp(FloatVector.fromArray(SPECIES, a, offset + i, mask).sub(max).mul(scale));
      value.intoArray(a, offset + i, mask);
      sum = sum.add(value, mask);
    }
    return sumOfLanes(sum);
  }

  /** {@code exp} of values up to 0, within 2 units in the last place; below −87 about 1e-38. */
  static FloatVector exp(FloatVector value) {
    FloatVector x = value.max(-87f);
    FloatVector rounded = x.mul(LOG2_E).add(ROUNDER);
    FloatVector n = rounded.sub(ROUNDER);
    FloatVector r = n.mul(-LN2_HIGH).add(x);
    r = n.mul(-LN2_LOW).add(r);
    FloatVector p = r.mul(1.9875691e-4f).add(1.3981999e-3f);
    p = p.mul(r).add(8.333452e-3f);
    p = p.mul(r).add(4.1665796e-2f);
    p = p.mul(r).add(1.6666666e-1f);
    p = p.mul(r).add(5.0e-1f);
    p = p.mul(r).mul(r).add(r).add(1f);
    IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /** Multiplies a row. */
  static void scale(float[] a, int offset, int length, float factor) {
    for (int i = offset; i < offset + length; i++) {
      a[i] *= factor;
    }
  }

  /** Adds a row to another. */
  static void add(float[] to, int toOffset, float[] from, int fromOffset, int length) {
    for (int i = 0; i < length; i++) {
      to[toOffset + i] += from[fromOffset + i];
    }
  }
}
