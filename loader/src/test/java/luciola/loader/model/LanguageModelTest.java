package luciola.loader.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LanguageModelTest {
  private static final AdamConfig QUICK = new AdamConfig(3e-3, 5, 0.9, 0.98, 1e-8, 0.01, 1.0);

  private static MemorySegment randomTokens(int count, int vocabulary, long seed) {
    byte[] tokens = new byte[count];
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < count; i++) {
      tokens[i] = (byte) random.nextInt(vocabulary);
    }
    return MemorySegment.ofArray(tokens);
  }

  @Test
  void theGradientIsThatOfFiniteDifferences() {
    ModelConfig config = new ModelConfig(11, 9, 12, 3, 2, 2, 1, QUICK);
    try (LanguageModel model = new LanguageModel(config, 1)) {
      int rows = 3;
      int tokensPerRow = 10;
      MemorySegment tokens = randomTokens(rows * tokensPerRow, 11, 2);
      spread(model);
      model.gradient(model.new Windows(tokens, rows, tokensPerRow, 1));
      float[] gradient = model.gradient().clone();
      MemorySegment flat = model.flatParameters();
      SplittableRandom random = new SplittableRandom(3);
      double norm = 0;
      for (float g : gradient) {
        norm += g * g;
      }
      // Along random directions: the derivative is the gradient's product with the direction.
      for (int round = 0; round < 30; round++) {
        float[] direction = new float[gradient.length];
        double expected = 0;
        for (int i = 0; i < direction.length; i++) {
          direction[i] = round % 2 == 0 || random.nextInt(50) == 0 ? random.nextInt(3) - 1 : 0;
          expected += direction[i] * (double) gradient[i];
        }
        double h = 1e-3;
        double up = lossMoved(model, flat, direction, (float) h, tokens, rows, tokensPerRow);
        double down = lossMoved(model, flat, direction, (float) -h, tokens, rows, tokensPerRow);
        double measured = (up - down) / (2 * h);
        assertEquals(expected, measured, 0.02 * Math.sqrt(norm), "direction " + round);
      }
    }
  }

  /** Away from the small first values, where finite steps are no straight lines. */
  private static void spread(LanguageModel model) {
    SplittableRandom random = new SplittableRandom(6);
    for (long i = 0; i < model.parameters(); i++) {
      float value = (float) (random.nextDouble() * 2 - 1);
      model.flatParameters().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
  }

  private static double lossMoved(
      LanguageModel model,
      MemorySegment flat,
      float[] direction,
      float h,
      MemorySegment tokens,
      int rows,
      int tokensPerRow) {
    MemorySegment before = MemorySegment.ofArray(new float[direction.length]).copyFrom(flat);
    for (int i = 0; i < direction.length; i++) {
      float value = flat.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      flat.setAtIndex(ValueLayout.JAVA_FLOAT, i, value + h * direction[i]);
    }
    double loss = model.loss(tokens, rows, tokensPerRow, 1);
    flat.copyFrom(before);
    return loss;
  }

  @Test
  void everyParameterHasAGradientOfItsOwn() {
    ModelConfig config = new ModelConfig(7, 4, 8, 2, 1, 1, 1, QUICK);
    try (LanguageModel model = new LanguageModel(config, 1)) {
      MemorySegment tokens = randomTokens(4 * 5, 7, 4);
      spread(model);
      model.gradient(model.new Windows(tokens, 4, 5, 1));
      float[] gradient = model.gradient().clone();
      MemorySegment flat = model.flatParameters();
      for (int i = 0; i < gradient.length; i += 3) {
        float[] direction = new float[gradient.length];
        direction[i] = 1;
        double up = lossMoved(model, flat, direction, 4e-3f, tokens, 4, 5);
        double down = lossMoved(model, flat, direction, -4e-3f, tokens, 4, 5);
        double measured = (up - down) / 8e-3;
        assertEquals(gradient[i], measured, 2e-3 + 0.03 * Math.abs(measured), "parameter " + i);
      }
    }
  }

  @Test
  void anUntrainedModelKnowsNothing() {
    try (LanguageModel model = new LanguageModel(ModelConfig.DEFAULT.withThreads(1), 7)) {
      double loss = model.loss(randomTokens(2 * 129, 256, 5), 2, 129, 1);
      assertEquals(Math.log(256), loss, 0.3);
    }
  }

  @Test
  void theSameBatchesGiveTheSameBitsWithAnyNumberOfThreads() {
    ModelConfig config = new ModelConfig(256, 16, 32, 2, 1, 4, 1, QUICK);
    int crc = 0;
    for (int threads : new int[] {1, 2, 3}) {
      try (LanguageModel model = new LanguageModel(config.withThreads(threads), 9)) {
        for (int step = 0; step < 5; step++) {
          model.step(randomTokens(7 * 17, 256, step), 7, 17, 1);
        }
        crc = threads == 1 ? model.parametersCrc() : crc;
        assertEquals(crc, model.parametersCrc());
      }
    }
    try (LanguageModel other = new LanguageModel(config, 10)) {
      assertNotEquals(crc, other.parametersCrc());
    }
  }

  @Test
  void theLossFallsOnASmallText() {
    byte[] text =
        "It was the best of times, it was the worst of times, it was the age of wisdom. "
            .repeat(8)
            .getBytes(StandardCharsets.US_ASCII);
    ModelConfig config = new ModelConfig(256, 32, 32, 2, 1, 2, 2, QUICK);
    try (LanguageModel model = new LanguageModel(config, 1)) {
      SplittableRandom random = new SplittableRandom(2);
      double first = 0;
      double last = 0;
      for (int step = 0; step < 150; step++) {
        byte[] batch = new byte[8 * 33];
        for (int row = 0; row < 8; row++) {
          System.arraycopy(text, random.nextInt(text.length - 33), batch, row * 33, 33);
        }
        last = model.step(MemorySegment.ofArray(batch), 8, 33, 1);
        first = step == 0 ? last : first;
      }
      assertTrue(first > 5, "first=" + first);
      assertTrue(last < 1.5, "last=" + last);
      assertEquals(150, model.stepsDone());
      assertTrue(model.flops() > 0);
    }
  }

  @Test
  void sixteenBitTokensAreTheSameTokens() {
    ModelConfig config = new ModelConfig(256, 8, 16, 2, 1, 2, 1, QUICK);
    MemorySegment bytes = randomTokens(3 * 9, 256, 1);
    byte[] wide = new byte[2 * 3 * 9];
    for (int i = 0; i < 27; i++) {
      wide[2 * i] = bytes.get(ValueLayout.JAVA_BYTE, i);
    }
    try (LanguageModel model = new LanguageModel(config, 1)) {
      double narrow = model.loss(bytes, 3, 9, 1);
      assertEquals(narrow, model.loss(MemorySegment.ofArray(wide), 3, 9, 2));
    }
  }

  @Test
  void refusesABatchThatDoesNotFit() {
    ModelConfig config = new ModelConfig(10, 8, 16, 2, 1, 2, 1, QUICK);
    try (LanguageModel model = new LanguageModel(config, 1)) {
      MemorySegment tokens = MemorySegment.ofArray(new byte[20]);
      assertThrows(IllegalArgumentException.class, () -> model.step(tokens, 2, 9, 1));
      assertThrows(IllegalArgumentException.class, () -> model.step(tokens, 2, 10, 1));
      assertThrows(IllegalArgumentException.class, () -> model.step(tokens, 0, 9, 1));
      MemorySegment wrong = MemorySegment.ofArray(new byte[] {1, 2, 10});
      assertThrows(IllegalArgumentException.class, () -> model.step(wrong, 1, 3, 1));
      assertEquals(0, model.stepsDone());
    }
    try (LanguageModel model = new LanguageModel(config.withThreads(2), 1)) {
      byte[] many = new byte[64 * 3];
      many[many.length - 1] = 10;
      int before = model.parametersCrc();
      assertThrows(
          IllegalArgumentException.class, () -> model.step(MemorySegment.ofArray(many), 64, 3, 1));
      assertEquals(before, model.parametersCrc());
      assertEquals(0, model.stepsDone());
    }
  }
}
