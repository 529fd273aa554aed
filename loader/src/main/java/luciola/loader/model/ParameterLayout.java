package luciola.loader.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import luciola.loader.safetensors.TensorSpec;
import luciola.loader.safetensors.TensorView;

/** Where each parameter lies in the flat array, in the order of the forward pass. */
final class ParameterLayout {
  /** Parameters of one layer. */
  record Layer(
      Parameter attentionGain,
      Parameter qkv,
      Parameter attentionOut,
      Parameter mlpGain,
      Parameter mlpIn,
      Parameter mlpOut) {}

  private final List<Parameter> all = new ArrayList<>();
  private int end;

  final Parameter embedding;
  final Parameter positions;
  final List<Layer> layers = new ArrayList<>();
  final Parameter finalGain;
  final Parameter head;

  ParameterLayout(ModelConfig config) {
    int width = config.width();
    int mlpWidth = config.mlpWidth();
    double even = 1 / StrictMath.sqrt(width);
    double depth = 1 / StrictMath.sqrt(2.0 * config.layers());
    embedding = matrix("embedding.weight", config.vocabulary(), width, 0.02);
    positions = matrix("positions.weight", config.contextTokens(), width, 0.02);
    for (int i = 0; i < config.layers(); i++) {
      String prefix = "layers." + i + ".";
      layers.add(
          new Layer(
              gain(prefix + "attention.norm.gain", width),
              matrix(prefix + "attention.qkv.weight", width, 3 * width, even),
              matrix(prefix + "attention.out.weight", width, width, even * depth),
              gain(prefix + "mlp.norm.gain", width),
              matrix(prefix + "mlp.in.weight", width, mlpWidth, even),
              matrix(prefix + "mlp.out.weight", mlpWidth, width, even * depth / 2)));
    }
    finalGain = gain("final.norm.gain", width);
    head = matrix("head.weight", width, config.vocabulary(), even / 4);
  }

  private Parameter gain(String name, int width) {
    return add(new Parameter(TensorSpec.ofFloats(name, width), end, 0));
  }

  private Parameter matrix(String name, int inputs, int outputs, double deviation) {
    return add(new Parameter(TensorSpec.ofFloats(name, inputs, outputs), end, deviation));
  }

  private Parameter add(Parameter parameter) {
    all.add(parameter);
    end = Math.addExact(end, parameter.elements());
    return parameter;
  }

  /** Number of values. */
  int elements() {
    return end;
  }

  List<Parameter> all() {
    return all;
  }

  /** Views of a flat array by the parameters' names. */
  List<TensorView> views(float[] flat, String prefix) {
    List<TensorSpec> specs = all.stream().map(Parameter::spec).toList();
    return TensorView.over(MemorySegment.ofArray(flat), specs).stream()
        .map(view -> view.renamed(prefix + view.name()))
        .toList();
  }

  /** First values: gains 1, matrices uniform; those that add to the stream smaller with depth. */
  float[] initialValues(long seed) {
    float[] values = new float[end];
    SplittableRandom random = new SplittableRandom(seed);
    for (Parameter parameter : all) {
      double spread = parameter.deviation() * StrictMath.sqrt(12);
      for (int i = parameter.offset(); i < parameter.end(); i++) {
        values[i] = parameter.isMatrix() ? (float) ((random.nextDouble() - 0.5) * spread) : 1.0f;
      }
    }
    return values;
  }
}
