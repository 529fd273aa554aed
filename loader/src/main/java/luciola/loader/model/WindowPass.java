package luciola.loader.model;

import java.util.List;
import java.util.stream.IntStream;
import luciola.loader.model.Gemm.Target;
import luciola.loader.model.PackedWeights.Both;

/**
 * Forward and backward of one token window through the whole model: small enough that what it keeps
 * between the two stays near the core. One instance per thread; the weights are shared, the
 * gradient array is the caller's.
 *
 * <p>Pre-norm decoder: {@code x += attention(norm(x))}, {@code x += mlp(norm(x))} with a squared
 * rectifier, then norm and a linear head; no biases.
 */
final class WindowPass {
  /** What one layer keeps for the way back. */
  private static final class Kept {
    final float[] input;
    final float[] attentionNormed;
    final float[] attentionInverses;
    final float[] qkv;
    final float[] weights;
    final float[] mixed;
    final float[] middle;
    final float[] mlpNormed;
    final float[] mlpInverses;
    final float[] hidden;
    final float[] activated;

    Kept(ModelConfig config) {
      int tokens = config.contextTokens();
      int stream = tokens * config.width();
      input = new float[stream];
      attentionNormed = new float[stream];
      attentionInverses = new float[tokens];
      qkv = new float[3 * stream];
      weights = new float[config.heads() * tokens * tokens];
      mixed = new float[stream];
      middle = new float[stream];
      mlpNormed = new float[stream];
      mlpInverses = new float[tokens];
      hidden = new float[tokens * config.mlpWidth()];
      activated = new float[tokens * config.mlpWidth()];
    }
  }

  private final ModelConfig config;
  private final ParameterLayout layout;
  private final Gemm gemm = new Gemm();
  private final RowMath math = new RowMath();
  private final RmsNorm norm;
  private final Attention attention;
  private final PackedMatrix packed = new PackedMatrix();
  private final List<Kept> kept;
  private final float[] output;
  private final float[] outputNormed;
  private final float[] outputInverses;
  private final float[] logits;
  private final float[] dStream;
  private final float[] dNormed;
  private final float[] dHidden;
  private final float[] dQkv;

  WindowPass(ModelConfig config, ParameterLayout layout) {
    this.config = config;
    this.layout = layout;
    int tokens = config.contextTokens();
    int stream = tokens * config.width();
    norm = new RmsNorm(math, config.width());
    attention = new Attention(gemm, math, config);
    kept = IntStream.range(0, config.layers()).mapToObj(_ -> new Kept(config)).toList();
    output = new float[stream];
    outputNormed = new float[stream];
    outputInverses = new float[tokens];
    logits = new float[tokens * config.vocabulary()];
    dStream = new float[stream];
    dNormed = new float[stream];
    dHidden = new float[tokens * config.mlpWidth()];
    dQkv = new float[3 * stream];
  }

  long flops() {
    return gemm.flops();
  }

  /**
   * Loss of a window, summed over its tokens.
   *
   * @param ids the tokens and, one further, the last target
   */
  double loss(float[] flat, PackedWeights weights, int[] ids) {
    forward(flat, weights, ids);
    return crossEntropy(ids, 0);
  }

  /**
   * Loss of a window, summed over its tokens; adds {@code scale} times its gradient to {@code
   * gradient}.
   */
  double lossAndGradient(
      float[] flat, PackedWeights weights, int[] ids, float scale, float[] gradient) {
    forward(flat, weights, ids);
    double loss = crossEntropy(ids, scale);
    backward(flat, weights, ids, gradient);
    return loss;
  }

  private void forward(float[] flat, PackedWeights weights, int[] ids) {
    int tokens = ids.length - 1;
    embed(flat, ids, stream(0));
    for (int i = 0; i < kept.size(); i++) {
      layerForward(flat, i, weights.layers.get(i), tokens);
    }
    norm.forward(output, tokens, flat, layout.finalGain, outputNormed, outputInverses);
    gemm.multiply(
        outputNormed,
        0,
        config.width(),
        tokens,
        weights.head.straight(),
        replace(logits, config.vocabulary()));
  }

  /** The residual stream before a layer; after the last one, the output. */
  private float[] stream(int layer) {
    return layer < kept.size() ? kept.get(layer).input : output;
  }

  private static Target replace(float[] values, int stride) {
    return new Target(values, 0, stride, false);
  }

  private static Target addTo(float[] values, int stride) {
    return new Target(values, 0, stride, true);
  }

  private void embed(float[] flat, int[] ids, float[] x) {
    int width = config.width();
    for (int t = 0; t < ids.length - 1; t++) {
      System.arraycopy(flat, layout.embedding.offset() + ids[t] * width, x, t * width, width);
      RowMath.add(x, t * width, flat, layout.positions.offset() + t * width, width);
    }
  }

  private void layerForward(float[] flat, int index, PackedWeights.Layer weights, int tokens) {
    Kept k = kept.get(index);
    ParameterLayout.Layer layer = layout.layers.get(index);
    int width = config.width();
    int mlpWidth = config.mlpWidth();
    norm.forward(
        k.input, tokens, flat, layer.attentionGain(), k.attentionNormed, k.attentionInverses);
    gemm.multiply(
        k.attentionNormed, 0, width, tokens, weights.qkv().straight(), replace(k.qkv, 3 * width));
    attention.forward(k.qkv, tokens, k.weights, k.mixed);
    System.arraycopy(k.input, 0, k.middle, 0, tokens * width);
    gemm.multiply(
        k.mixed, 0, width, tokens, weights.attentionOut().straight(), addTo(k.middle, width));
    norm.forward(k.middle, tokens, flat, layer.mlpGain(), k.mlpNormed, k.mlpInverses);
    gemm.multiply(
        k.mlpNormed, 0, width, tokens, weights.mlpIn().straight(), replace(k.hidden, mlpWidth));
    squaredRectifier(k.hidden, k.activated, tokens * mlpWidth);
    float[] next = stream(index + 1);
    System.arraycopy(k.middle, 0, next, 0, tokens * width);
    gemm.multiply(
        k.activated, 0, mlpWidth, tokens, weights.mlpOut().straight(), addTo(next, width));
  }

  private static void squaredRectifier(float[] x, float[] y, int length) {
    for (int i = 0; i < length; i++) {
      float positive = Math.max(x[i], 0f);
      y[i] = positive * positive;
    }
  }

  /** Loss; turns the logits into scale times their gradient. */
  private double crossEntropy(int[] ids, float scale) {
    int vocabulary = config.vocabulary();
    double loss = 0;
    for (int t = 0; t < ids.length - 1; t++) {
      int at = t * vocabulary;
      int target = at + ids[t + 1];
      float sum = math.exponentials(logits, at, vocabulary, 1f);
      loss += StrictMath.log(sum) - StrictMath.log(logits[target]);
      RowMath.scale(logits, at, vocabulary, scale / sum);
      logits[target] -= scale;
    }
    return loss;
  }

  private void backward(float[] flat, PackedWeights weights, int[] ids, float[] gradient) {
    int tokens = ids.length - 1;
    int width = config.width();
    linearBackward(outputNormed, logits, tokens, weights.head, gradient, dNormed);
    norm.backward(
        dNormed, output, outputInverses, tokens, flat, gradient, layout.finalGain, dStream, false);
    for (int i = kept.size() - 1; i >= 0; i--) {
      layerBackward(flat, i, weights.layers.get(i), tokens, gradient);
    }
    for (int t = 0; t < tokens; t++) {
      int at = t * width;
      RowMath.add(gradient, layout.embedding.offset() + ids[t] * width, dStream, at, width);
      RowMath.add(gradient, layout.positions.offset() + at, dStream, at, width);
    }
  }

  private void layerBackward(
      float[] flat, int index, PackedWeights.Layer weights, int tokens, float[] gradient) {
    Kept k = kept.get(index);
    ParameterLayout.Layer layer = layout.layers.get(index);
    linearBackward(k.activated, dStream, tokens, weights.mlpOut(), gradient, dHidden);
    for (int i = 0; i < tokens * config.mlpWidth(); i++) {
      dHidden[i] *= 2 * Math.max(k.hidden[i], 0f);
    }
    linearBackward(k.mlpNormed, dHidden, tokens, weights.mlpIn(), gradient, dNormed);
    norm.backward(
        dNormed, k.middle, k.mlpInverses, tokens, flat, gradient, layer.mlpGain(), dStream, true);
    linearBackward(k.mixed, dStream, tokens, weights.attentionOut(), gradient, dNormed);
    attention.backward(dNormed, k.qkv, k.weights, tokens, dQkv);
    linearBackward(k.attentionNormed, dQkv, tokens, weights.qkv(), gradient, dNormed);
    norm.backward(
        dNormed,
        k.input,
        k.attentionInverses,
        tokens,
        flat,
        gradient,
        layer.attentionGain(),
        dStream,
        true);
  }

  /** Of {@code y = x·w}: adds xᵀ·dy to the gradient of w and replaces dx by dy·wᵀ. */
  private void linearBackward(
      float[] x, float[] dy, int tokens, Both weight, float[] gradient, float[] dx) {
    Parameter w = weight.parameter();
    packed.pack(dy, 0, w.outputs(), tokens, w.outputs());
    gemm.multiplyTransposed(
        x, 0, w.inputs(), w.inputs(), packed, new Target(gradient, w.offset(), w.outputs(), true));
    gemm.multiply(dy, 0, w.outputs(), tokens, weight.transposed(), replace(dx, w.inputs()));
  }
}
