package luciola.loader.model;

/**
 * {@code y = gain · x / rms(x)} row by row. Keeps nothing: the caller holds x and the inverses for
 * the way back.
 */
final class RmsNorm {
  private static final float EPSILON = 1e-5f;

  private final RowMath math;
  private final int width;

  RmsNorm(RowMath math, int width) {
    this.math = math;
    this.width = width;
  }

  /**
   * Forward.
   *
   * @param inverses receives 1 / rms of each row
   */
  void forward(float[] x, int rows, float[] flat, Parameter gain, float[] y, float[] inverses) {
    for (int row = 0; row < rows; row++) {
      int at = row * width;
      float square = math.dot(x, at, x, at, width) / width;
      float inverse = (float) (1 / Math.sqrt(square + EPSILON));
      inverses[row] = inverse;
      for (int i = 0; i < width; i++) {
        y[at + i] = x[at + i] * inverse * flat[gain.offset() + i];
      }
    }
  }

  /**
   * Backward: adds to dx and to the gradient of the gain. Overwrites dy.
   *
   * @param add whether to add to dx instead of replacing it
   */
  void backward(
      float[] dy,
      float[] x,
      float[] inverses,
      int rows,
      float[] flat,
      float[] gradient,
      Parameter gain,
      float[] dx,
      boolean add) {
    int g = gain.offset();
    for (int row = 0; row < rows; row++) {
      int at = row * width;
      float inverse = inverses[row];
      for (int i = 0; i < width; i++) {
        gradient[g + i] += dy[at + i] * x[at + i] * inverse;
        dy[at + i] *= flat[g + i];
      }
      float projection = math.dot(dy, at, x, at, width) / width * inverse * inverse * inverse;
      for (int i = 0; i < width; i++) {
        float value = dy[at + i] * inverse - x[at + i] * projection;
        dx[at + i] = add ? dx[at + i] + value : value;
      }
    }
  }
}
