package luciola.loader.ema;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import luciola.loader.safetensors.DType;

/**
 * {@code average += (1 − decay) · (parameter − average)} in one pass: reads both, writes the
 * average.
 *
 * <p>This form, not {@code decay · average + (1 − decay) · parameter}: the two factors rounded to
 * fp32 do not add up to 1, and for a decay of 0.9999 the average would settle up to 0.06 % beside
 * the parameters.
 */
final class EmaKernel {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = FLOATS.length();
  private static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  /** Turns the exponent of a half, moved to the place of a float's, into a float's: 2^112. */
  private static final float HALF_SCALE = 0x1p112f;

  private EmaKernel() {}

  /**
   * Updates all of {@code average}.
   *
   * @param average fp32
   * @param parameters as many elements, of type F32, BF16 or F16
   */
  static void update(MemorySegment average, MemorySegment parameters, DType type, double decay) {
    float weight = (float) (1 - decay);
    switch (type) {
      case F32 -> fromFloats(average, parameters, weight);
      case BF16 -> fromBrain(average, parameters, weight);
      case F16 -> fromHalf(average, parameters, weight);
      default -> throw new IllegalArgumentException("no average of this type: dtype=" + type);
    }
  }

  private static void fromFloats(MemorySegment average, MemorySegment parameters, float weight) {
    long elements = average.byteSize() / Float.BYTES;
    long bound = elements - elements % LANES;
    for (long i = 0; i < bound; i += LANES) {
      long at = i * Float.BYTES;
      step(average, at, FloatVector.fromMemorySegment(FLOATS, parameters, at, ORDER), weight);
    }
    for (long i = bound; i < elements; i++) {
      step(average, i, parameters.get(FLOAT, i * Float.BYTES), weight);
    }
  }

  private static void fromBrain(MemorySegment average, MemorySegment parameters, float weight) {
    long elements = average.byteSize() / Float.BYTES;
    long bound = elements - elements % LANES;
    for (long i = 0; i < bound; i += LANES) {
      IntVector wide = widened(parameters, i * Short.BYTES);
      FloatVector value = wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      step(average, i * Float.BYTES, value, weight);
    }
    for (long i = bound; i < elements; i++) {
      short bits = parameters.get(SHORT, i * Short.BYTES);
      step(average, i, Float.intBitsToFloat(bits << 16), weight);
    }
  }

  private static void fromHalf(MemorySegment average, MemorySegment parameters, float weight) {
    long elements = average.byteSize() / Float.BYTES;
    long bound = elements - elements % LANES;
    for (long i = 0; i < bound; i += LANES) {
      FloatVector value = floatsOfHalves(widened(parameters, i * Short.BYTES));
      step(average, i * Float.BYTES, value, weight);
    }
    for (long i = bound; i < elements; i++) {
      step(average, i, Float.float16ToFloat(parameters.get(SHORT, i * Short.BYTES)), weight);
    }
  }

  private static IntVector widened(MemorySegment shorts, long at) {
    ShortVector narrow = ShortVector.fromMemorySegment(SHORTS, shorts, at, ORDER);
    return (IntVector) narrow.convertShape(VectorOperators.S2I, INTS, 0);
  }

  /** Exact, infinities, NaN and subnormals included. */
  private static FloatVector floatsOfHalves(IntVector halves) {
    IntVector magnitude = halves.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
    IntVector sign = halves.and(0x8000).lanewise(VectorOperators.LSHL, 16);
    VectorMask<Integer> notFinite = halves.and(0x7c00).compare(VectorOperators.EQ, 0x7c00);
    IntVector scaled =
        magnitude
            .reinterpretAsFloats()
            .mul(HALF_SCALE)
            .reinterpretAsInts()
            .blend(magnitude.or(0x7f800000), notFinite);
    return scaled.or(sign).reinterpretAsFloats();
  }

  private static void step(MemorySegment average, long at, FloatVector value, float weight) {
    FloatVector old = FloatVector.fromMemorySegment(FLOATS, average, at, ORDER);
    FloatVector factor = FloatVector.broadcast(FLOATS, weight);
    value.sub(old).fma(factor, old).intoMemorySegment(average, at, ORDER);
  }

  private static void step(MemorySegment average, long element, float value, float weight) {
    float old = average.get(FLOAT, element * Float.BYTES);
    average.set(FLOAT, element * Float.BYTES, Math.fma(value - old, weight, old));
  }
}
