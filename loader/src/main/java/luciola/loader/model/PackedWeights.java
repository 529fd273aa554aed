package luciola.loader.model;

import java.util.ArrayList;
import java.util.List;

/**
 * Every matrix of the model packed for products with it and with its transpose; renewed once a
 * step, read by all threads.
 */
final class PackedWeights {
  /** One matrix both ways. */
  record Both(Parameter parameter, PackedMatrix straight, PackedMatrix transposed) {
    private static Both of(Parameter parameter) {
      return new Both(parameter, new PackedMatrix(), new PackedMatrix());
    }

    void pack(float[] flat) {
      int inputs = parameter.inputs();
      int outputs = parameter.outputs();
      straight.pack(flat, parameter.offset(), outputs, inputs, outputs);
      transposed.packTransposed(flat, parameter.offset(), outputs, outputs, inputs);
    }
  }

  /** The matrices of one layer. */
  record Layer(Both qkv, Both attentionOut, Both mlpIn, Both mlpOut) {}

  final List<Layer> layers;
  final Both head;
  private final List<Both> all = new ArrayList<>();

  PackedWeights(ParameterLayout layout) {
    layers =
        layout.layers.stream()
            .map(layer ->
                new Layer(
                    add(layer.qkv()),
                    add(layer.attentionOut()),
                    add(layer.mlpIn()),
                    add(layer.mlpOut())))
            .toList();
    head = add(layout.head);
  }

  private Both add(Parameter parameter) {
    Both both = Both.of(parameter);
    all.add(both);
    return both;
  }

  int matrices() {
    return all.size();
  }

  void pack(int matrix, float[] flat) {
    all.get(matrix).pack(flat);
  }
}
