package luciola.loader.model;

/**
 * The shape of the model and how its work is cut.
 *
 * @param vocabulary tokens are 0 … vocabulary − 1
 * @param contextTokens longest window, targets not counted
 * @param width of the residual stream
 * @param heads of attention; divides the width
 * @param layers attention + MLP (four times as wide as the stream)
 * @param partitions parts a batch is cut into, whose gradients are summed in order: results depend
 *     on it, never on the number of threads
 * @param threads that work on the partitions, the caller's included
 */
public record ModelConfig(
    int vocabulary,
    int contextTokens,
    int width,
    int heads,
    int layers,
    int partitions,
    int threads,
    AdamConfig adam) {
  /** Bytes, context 128, two layers of 128: 0.47 million parameters. */
  public static final ModelConfig DEFAULT =
      new ModelConfig(256, 128, 128, 4, 2, 4, 2, AdamConfig.DEFAULT);

  public ModelConfig {
    if (vocabulary < 2 || vocabulary > 1 << 16 || contextTokens < 1 || layers < 1) {
      throw new IllegalArgumentException(
          "out of range: vocabulary=%d contextTokens=%d layers=%d"
              .formatted(vocabulary, contextTokens, layers));
    }
    if (heads < 1 || width < 1 || width % heads != 0) {
      throw new IllegalArgumentException(
          "heads must divide the width: width=%d heads=%d".formatted(width, heads));
    }
    if (partitions < 1 || threads < 1 || threads > 1024) {
      throw new IllegalArgumentException(
          "out of range: partitions=%d threads=%d".formatted(partitions, threads));
    }
  }

  /** Columns of one head. */
  int headWidth() {
    return width / heads;
  }

  /** Columns inside the MLP. */
  int mlpWidth() {
    return 4 * width;
  }

  public ModelConfig withThreads(int count) {
    return new ModelConfig(
        vocabulary, contextTokens, width, heads, layers, partitions, count, adam);
  }
}
