package luciola.loader.model;

import static luciola.loader.model.Gemm.LANES;
import static luciola.loader.model.Gemm.SPECIES;

import jdk.incubator.vector.FloatVector;

/** One AdamW step over ranges of the flat parameters; the moments are arrays of the same layout. */
final class AdamW {
  private final AdamConfig config;
  private final ParameterLayout layout;
  final float[] first;
  final float[] second;

  AdamW(AdamConfig config, ParameterLayout layout) {
    this.config = config;
    this.layout = layout;
    this.first = new float[layout.elements()];
    this.second = new float[layout.elements()];
  }

  /**
   * Moves one parameter.
   *
   * @param step the first is 1
   * @param gradientScale multiplies the gradient, to shorten it
   */
  void update(int parameter, float[] flat, float[] gradient, long step, float gradientScale) {
    Parameter p = layout.all().get(parameter);
    float rate = (float) config.learningRate(step);
    float decay = p.isMatrix() ? (float) (1 - rate * config.weightDecay()) : 1f;
    float firstCorrection = (float) (1 / (1 - StrictMath.pow(config.beta1(), (double) step)));
    float secondCorrection = (float) (1 / (1 - StrictMath.pow(config.beta2(), (double) step)));
    float beta1 = (float) config.beta1();
    float beta2 = (float) config.beta2();
    float epsilon = (float) config.epsilon();
    int i = p.offset();
    for (; i <= p.end() - LANES; i += LANES) {
      FloatVector g = FloatVector.fromArray(SPECIES, gradient, i).mul(gradientScale);
      FloatVector m = FloatVector.fromArray(SPECIES, first, i).mul(beta1).add(g.mul(1 - beta1));
      FloatVector v =
          FloatVector.fromArray(SPECIES, second, i).mul(beta2).add(g.mul(g).mul(1 - beta2));
      m.intoArray(first, i);
      v.intoArray(second, i);
      FloatVector move =
          m.mul(firstCorrection).div(v.mul(secondCorrection).sqrt().add(epsilon)).mul(rate);
      FloatVector.fromArray(SPECIES, flat, i).mul(decay).sub(move).intoArray(flat, i);
    }
    for (; i < p.end(); i++) {
      float g = gradient[i] * gradientScale;
      first[i] = first[i] * beta1 + g * (1 - beta1);
      second[i] = second[i] * beta2 + g * g * (1 - beta2);
      float root = (float) Math.sqrt(second[i] * secondCorrection);
      flat[i] = flat[i] * decay - first[i] * firstCorrection / (root + epsilon) * rate;
    }
  }
}
