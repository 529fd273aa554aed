package luciola.loader.model;

/**
 * How AdamW moves the parameters.
 *
 * @param learningRate after warm-up
 * @param warmupSteps steps over which the learning rate rises from 0 in a straight line
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 * @param weightDecay of matrices; gains are not decayed
 * @param gradientNormMax longer gradients are shortened to this
 */
public record AdamConfig(
    double learningRate,
    int warmupSteps,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double gradientNormMax) {
  /** Suits the default model. */
  public static final AdamConfig DEFAULT = new AdamConfig(1.5e-3, 20, 0.9, 0.98, 1e-8, 0.01, 1.0);

  public AdamConfig {
    if (!(learningRate > 0) || !(epsilon > 0) || !(gradientNormMax > 0) || weightDecay < 0) {
      throw new IllegalArgumentException(
          "out of range: learningRate=%s epsilon=%s gradientNormMax=%s weightDecay=%s"
              .formatted(learningRate, epsilon, gradientNormMax, weightDecay));
    }
    if (warmupSteps < 0 || !(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1)) {
      throw new IllegalArgumentException(
          "out of range: warmupSteps=%d beta1=%s beta2=%s".formatted(warmupSteps, beta1, beta2));
    }
  }

  /** The learning rate of a step, the first of which is 1. */
  double learningRate(long step) {
    return step >= warmupSteps ? learningRate : learningRate * step / warmupSteps;
  }
}
