package luciola.loader.ema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import luciola.loader.safetensors.DType;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;
import luciola.protocol.error.LuciolaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmaTest {
  private static float valueAt(MemorySegment parameters, DType type, long i) {
    return switch (type) {
      case F32 -> parameters.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      case BF16 -> Float.intBitsToFloat(parameters.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
      default -> Float.float16ToFloat(parameters.getAtIndex(ValueLayout.JAVA_SHORT, i));
    };
  }

  private static void randomize(MemorySegment parameters, DType type, SplittableRandom random) {
    long elements = parameters.byteSize() * 8 / type.bits();
    for (long i = 0; i < elements; i++) {
      float value = (float) (random.nextDouble() * 4 - 2) * (i % 7 == 0 ? 1e-6f : 1f);
      switch (type) {
        case F32 -> parameters.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        case BF16 ->
            parameters.setAtIndex(
                ValueLayout.JAVA_SHORT, i, (short) (Float.floatToIntBits(value) >>> 16));
        default -> parameters.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void followsTheDoubleReference(DType type) {
    int elements = 1003; // not a multiple of a vector
    SplittableRandom random = new SplittableRandom(4);
    EmaDecay decay = new EmaDecay(0.99, true);
    try (Arena arena = Arena.ofConfined();
        EmaShard shard = new EmaShard(ShardRange.of(elements, 0, 1), decay)) {
      MemorySegment parameters = arena.allocate(elements * type.bits() / 8, 64);
      double[] expected = new double[elements];
      randomize(parameters, type, random);
      shard.start(parameters, type);
      for (int i = 0; i < elements; i++) {
        expected[i] = valueAt(parameters, type, i);
      }
      for (int update = 0; update < 50; update++) {
        randomize(parameters, type, random);
        shard.update(parameters, type);
        double d = decay.at(update);
        for (int i = 0; i < elements; i++) {
          expected[i] = d * expected[i] + (1 - d) * valueAt(parameters, type, i);
        }
      }
      for (int i = 0; i < elements; i++) {
        assertEquals(
            expected[i], shard.values().getAtIndex(ValueLayout.JAVA_FLOAT, i), 2e-6, "at " + i);
      }
      assertEquals(50, shard.updates());
    }
  }

  @Test
  void everyHalfIsTakenExactly() {
    try (Arena arena = Arena.ofConfined();
        EmaShard shard = new EmaShard(ShardRange.of(1 << 16, 0, 1), new EmaDecay(0.9, false))) {
      MemorySegment halves = arena.allocate(2L << 16, 64);
      for (int i = 0; i < 1 << 16; i++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
      }
      shard.start(halves, DType.F16);
      for (int i = 0; i < 1 << 16; i++) {
        float expected = Float.float16ToFloat((short) i);
        float actual = shard.values().getAtIndex(ValueLayout.JAVA_FLOAT, i);
        assertEquals(Float.isNaN(expected), Float.isNaN(actual), "half " + i);
        if (!Float.isNaN(expected)) {
          assertEquals(expected + 0.0f, actual + 0.0f, "half " + i);
        }
      }
    }
  }

  @Test
  void aHighDecaySettlesOnTheParameters() {
    try (Arena arena = Arena.ofConfined();
        EmaShard shard = new EmaShard(ShardRange.of(16, 0, 1), new EmaDecay(0.999, false))) {
      MemorySegment parameters = arena.allocate(64, 64);
      shard.start(parameters, DType.F32);
      for (int i = 0; i < 16; i++) {
        parameters.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f + i);
      }
      for (int update = 0; update < 20_000; update++) {
        shard.update(parameters, DType.F32);
      }
      for (int i = 0; i < 16; i++) {
        assertEquals(
            1f + i, shard.values().getAtIndex(ValueLayout.JAVA_FLOAT, i), 1e-3f * (1f + i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 16})
  void sharesFollowEachOtherAndAreEven(int ranks) {
    for (long elements : new long[] {0, 1, 5, 1000, 475_776}) {
      long next = 0;
      for (int rank = 0; rank < ranks; rank++) {
        ShardRange range = ShardRange.of(elements, rank, ranks);
        assertEquals(next, range.begin());
        assertTrue(range.elements() - elements / ranks <= 1);
        next = range.end();
      }
      assertEquals(elements, next);
    }
  }

  @Test
  void sharesOfTheUpdaterMakeTheWholeAverageInOrder() throws InterruptedException {
    int elements = 101;
    EmaDecay decay = new EmaDecay(0.5, false);
    SplittableRandom random = new SplittableRandom(1);
    MemorySegment live = MemorySegment.ofArray(new float[elements]);
    double[] expected = new double[elements];
    List<EmaShard> shards =
        List.of(
            new EmaShard(ShardRange.of(elements, 0, 2), decay),
            new EmaShard(ShardRange.of(elements, 1, 2), decay));
    List<EmaUpdater> updaters =
        shards.stream().map(shard -> new EmaUpdater(shard, DType.F32, 2)).toList();
    for (int update = 0; update < 200; update++) {
      randomize(live, DType.F32, random);
      for (EmaUpdater updater : updaters) {
        updater.submit(live);
      }
      for (int i = 0; i < elements; i++) {
        expected[i] = 0.5 * expected[i] + 0.5 * live.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
      live.fill((byte) -1); // NaN: what comes after must not be seen
    }
    for (EmaUpdater updater : updaters) {
      EmaShard shard = updater.drained();
      assertEquals(200, shard.updates());
      for (long i = 0; i < shard.range().elements(); i++) {
        assertEquals(
            expected[(int) (shard.range().begin() + i)],
            shard.values().getAtIndex(ValueLayout.JAVA_FLOAT, i),
            1e-6);
      }
      updater.close();
      shard.close();
    }
  }

  @Test
  void aFailedUpdateIsThrownByTheNextCall() throws InterruptedException {
    EmaShard shard = new EmaShard(ShardRange.of(8, 0, 1), new EmaDecay(0.5, false));
    try (EmaUpdater updater = new EmaUpdater(shard, DType.F32, 1)) {
      shard.close();
      updater.submit(MemorySegment.ofArray(new float[8]));
      LuciolaException e = assertThrows(LuciolaException.class, updater::drained);
      assertNotNull(e.getCause());
      assertThrows(
          LuciolaException.class, () -> updater.submit(MemorySegment.ofArray(new float[8])));
    }
  }

  @Test
  void viewsAreTheParametersByName() {
    List<TensorSpec> specs = List.of(TensorSpec.ofFloats("a", 2, 2), TensorSpec.ofFloats("b", 3));
    try (EmaShard shard = new EmaShard(ShardRange.of(7, 0, 1), new EmaDecay(0.5, false))) {
      shard.values().setAtIndex(ValueLayout.JAVA_FLOAT, 4, 9f);
      List<TensorView> views = shard.views(specs);
      assertEquals(9f, views.get(1).data().getAtIndex(ValueLayout.JAVA_FLOAT, 0));
    }
  }

  @Test
  void warmUpForgetsTheFirstParametersSooner() {
    EmaDecay decay = new EmaDecay(0.999, true);
    assertEquals(0.1, decay.at(0), 1e-12);
    assertEquals(0.999, decay.at(1_000_000));
    assertThrows(IllegalArgumentException.class, () -> new EmaDecay(1.0, false));
  }
}
