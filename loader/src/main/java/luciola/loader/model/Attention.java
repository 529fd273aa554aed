package luciola.loader.model;

import java.util.Arrays;
import luciola.loader.model.Gemm.Target;

/**
 * Causal attention of one window, head by head. The whole square of scores is computed and its
 * upper half cleared: simpler than triangles, and a sixth of the model's work at most.
 *
 * <p>A row of {@code qkv} is the queries of all heads, then the keys, then the values.
 */
final class Attention {
  private final Gemm gemm;
  private final RowMath math;
  private final int width;
  private final int heads;
  private final int headWidth;
  private final float scale;
  private final PackedMatrix packed = new PackedMatrix();
  private final float[] scores;

  Attention(Gemm gemm, RowMath math, ModelConfig config) {
    this.gemm = gemm;
    this.math = math;
    this.width = config.width();
    this.heads = config.heads();
    this.headWidth = config.headWidth();
    this.scale = (float) (1 / Math.sqrt(headWidth));
    this.scores = new float[config.contextTokens() * config.contextTokens()];
  }

  /**
   * Forward.
   *
   * @param weights receives the attention weights, a square of {@code tokens} for each head
   */
  void forward(float[] qkv, int tokens, float[] weights, float[] out) {
    int stride = 3 * width;
    for (int head = 0; head < heads; head++) {
      int column = head * headWidth;
      int square = head * tokens * tokens;
      packed.packTransposed(qkv, width + column, stride, headWidth, tokens);
      gemm.multiply(
          qkv, column, stride, tokens, packed, new Target(weights, square, tokens, false));
      for (int row = 0; row < tokens; row++) {
        softmax(weights, square + row * tokens, row + 1, tokens);
      }
      packed.pack(qkv, 2 * width + column, stride, tokens, headWidth);
      gemm.multiply(weights, square, tokens, tokens, packed, new Target(out, column, width, false));
    }
  }

  private void softmax(float[] row, int offset, int seen, int length) {
    float sum = math.exponentials(row, offset, seen, scale);
    RowMath.scale(row, offset, seen, 1 / sum);
    Arrays.fill(row, offset + seen, offset + length, 0);
  }

  /** Backward: from the gradient of the output to that of qkv, which it replaces. */
  void backward(float[] dOut, float[] qkv, float[] weights, int tokens, float[] dQkv) {
    int stride = 3 * width;
    for (int head = 0; head < heads; head++) {
      int column = head * headWidth;
      int square = head * tokens * tokens;
      int key = width + column;
      int value = 2 * width + column;
      packed.pack(dOut, column, width, tokens, headWidth);
      gemm.multiplyTransposed(
          weights, square, tokens, tokens, packed, new Target(dQkv, value, stride, false));
      packed.packTransposed(qkv, value, stride, headWidth, tokens);
      gemm.multiply(dOut, column, width, tokens, packed, new Target(scores, 0, tokens, false));
      for (int row = 0; row < tokens; row++) {
        softmaxBackward(weights, square + row * tokens, row * tokens, row + 1, tokens);
      }
      packed.pack(qkv, key, stride, tokens, headWidth);
      gemm.multiply(scores, 0, tokens, tokens, packed, new Target(dQkv, column, stride, false));
      packed.pack(qkv, column, stride, tokens, headWidth);
      gemm.multiplyTransposed(
          scores, 0, tokens, tokens, packed, new Target(dQkv, key, stride, false));
    }
  }

  private void softmaxBackward(float[] weights, int from, int to, int seen, int length) {
    float mean = math.dot(weights, from, scores, to, seen);
    for (int i = 0; i < seen; i++) {
      scores[to + i] = weights[from + i] * (scores[to + i] - mean) * scale;
    }
    Arrays.fill(scores, to + seen, to + length, 0);
  }
}
