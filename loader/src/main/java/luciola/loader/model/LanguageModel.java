package luciola.loader.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import luciola.loader.safetensors.TensorView;

/**
 * A small decoder-only language model with its optimiser, on the CPU by the Vector API.
 *
 * <p>The same seed and the same batches give the same bits, whatever the timing and the number of
 * threads: a batch is cut into {@link ModelConfig#partitions} parts by its rows, and every sum over
 * parts is taken in their order. Used by one thread, which also works; the others are its own.
 */
public final class LanguageModel implements AutoCloseable {
  private static final ValueLayout.OfShort TOKEN16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ModelConfig config;
  private final ParameterLayout layout;
  private final float[] flat;
  private final float[][] partGradients;
  private final float[] gradient;
  private final double[] squares;
  private final AdamW adam;
  private final PackedWeights packed;
  private final WorkTeam team;
  private final List<WindowPass> passes;
  private final RowMath[] math;
  private long stepsDone;

  /** A new model; the seed decides its first weights. */
  public LanguageModel(ModelConfig config, long seed) {
    this.config = config;
    this.layout = new ParameterLayout(config);
    this.flat = layout.initialValues(seed);
    this.partGradients = new float[config.partitions()][layout.elements()];
    this.gradient = new float[layout.elements()];
    this.squares = new double[layout.all().size()];
    this.adam = new AdamW(config.adam(), layout);
    this.packed = new PackedWeights(layout);
    this.team = new WorkTeam(config.threads());
    this.passes =
        IntStream.range(0, config.threads()).mapToObj(_ -> new WindowPass(config, layout)).toList();
    this.math = Stream.generate(RowMath::new).limit(config.threads()).toArray(RowMath[]::new);
  }

  public ModelConfig config() {
    return config;
  }

  /** Number of parameters. */
  public long parameters() {
    return layout.elements();
  }

  /** Steps of the optimiser so far, those before a restore included. */
  public long stepsDone() {
    return stepsDone;
  }

  /**
   * After the tensors of {@link #tensors} and {@link #optimizerTensors} were filled: their step.
   */
  public void restored(long steps) {
    if (steps < 0) {
      throw new IllegalArgumentException("steps must be non-negative: steps=" + steps);
    }
    stepsDone = steps;
  }

  /** Views of the live parameters, in the order of the flat array. */
  public List<TensorView> tensors() {
    return layout.views(flat, "");
  }

  /** All parameters as one run of floats, in the order of {@link #tensors}. */
  public MemorySegment flatParameters() {
    return MemorySegment.ofArray(flat);
  }

  /** Views of the optimiser's live moments. */
  public List<TensorView> optimizerTensors() {
    return Stream.of(
            layout.views(adam.first, "adam.first."), layout.views(adam.second, "adam.second."))
        .flatMap(List::stream)
        .toList();
  }

  /** CRC32C over the parameters' bytes: equal only for equal weights. */
  public int parametersCrc() {
    MemorySegment memory = flatParameters();
    byte[] bytes = new byte[(int) Math.min(memory.byteSize(), 1 << 16)];
    CRC32C crc = new CRC32C();
    for (long at = 0; at < memory.byteSize(); at += bytes.length) {
      int length = (int) Math.min(bytes.length, memory.byteSize() - at);
      MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, at, bytes, 0, length);
      crc.update(bytes, 0, length);
    }
    return (int) crc.getValue();
  }

  /** Floating-point operations in matrix products so far; masked attention scores are counted. */
  public long flops() {
    return passes.stream().mapToLong(WindowPass::flops).sum();
  }

  /**
   * One step: loss and gradient of the batch, then the optimiser.
   *
   * @param tokens {@code rows} windows of {@code tokensPerRow} unsigned little-endian tokens
   * @param tokensPerRow up to the context plus one: the last is only a target
   * @return mean loss per token in nats, of the weights before the step
   */
  public double step(MemorySegment tokens, int rows, int tokensPerRow, int tokenBytes) {
    Windows windows = new Windows(tokens, rows, tokensPerRow, tokenBytes);
    double loss = gradient(windows);
    stepsDone++;
    double norm = Math.sqrt(Arrays.stream(squares).sum());
    double normMax = config.adam().gradientNormMax();
    float scale = norm > normMax ? (float) (normMax / norm) : 1f;
    team.run(
        layout.all().size(),
        (parameter, _) -> adam.update(parameter, flat, gradient, stepsDone, scale));
    return loss;
  }

  /** Mean loss per token in nats, with the weights left alone. */
  public double loss(MemorySegment tokens, int rows, int tokensPerRow, int tokenBytes) {
    Windows windows = new Windows(tokens, rows, tokensPerRow, tokenBytes);
    return sumOverWindows(windows, false) / windows.targets();
  }

  /** The gradient of the last step, for tests. */
  float[] gradient() {
    return gradient;
  }

  /** Fills {@link #gradient} and {@link #squares}. */
  double gradient(Windows windows) {
    double loss = sumOverWindows(windows, true) / windows.targets();
    int parts = Math.min(config.partitions(), windows.rows());
    team.run(layout.all().size(), (parameter, worker) -> reduce(parameter, parts, math[worker]));
    return loss;
  }

  private double sumOverWindows(Windows windows, boolean withGradient) {
    team.run(packed.matrices(), (matrix, _) -> packed.pack(matrix, flat));
    int parts = Math.min(config.partitions(), windows.rows());
    double[] losses = new double[parts];
    team.run(
        parts,
        (part, worker) -> {
          float[] into = partGradients[part];
          if (withGradient) {
            Arrays.fill(into, 0);
          }
          int from = (int) ((long) windows.rows() * part / parts);
          int to = (int) ((long) windows.rows() * (part + 1) / parts);
          for (int row = from; row < to; row++) {
            losses[part] += pass(worker, windows, row, withGradient, into);
          }
        });
    return Arrays.stream(losses).reduce(0, Double::sum);
  }

  private double pass(int worker, Windows windows, int row, boolean withGradient, float[] into) {
    int[] ids = windows.ids(row);
    WindowPass pass = passes.get(worker);
    return withGradient
        ? pass.lossAndGradient(flat, packed, ids, 1f / windows.targets(), into)
        : pass.loss(flat, packed, ids);
  }

  private void reduce(int parameter, int parts, RowMath rowMath) {
    Parameter p = layout.all().get(parameter);
    System.arraycopy(partGradients[0], p.offset(), gradient, p.offset(), p.elements());
    for (int part = 1; part < parts; part++) {
      RowMath.add(gradient, p.offset(), partGradients[part], p.offset(), p.elements());
    }
    squares[parameter] = rowMath.dot(gradient, p.offset(), gradient, p.offset(), p.elements());
  }

  @Override
  public void close() {
    team.close();
  }

  /** A batch as the caller gave it, checked. */
  final class Windows {
    private final MemorySegment tokens;
    private final int rows;
    private final int tokensPerRow;
    private final int tokenBytes;

    Windows(MemorySegment tokens, int rows, int tokensPerRow, int tokenBytes) {
      this.tokens = tokens;
      this.rows = rows;
      this.tokensPerRow = tokensPerRow;
      this.tokenBytes = tokenBytes;
      if (rows < 1
          || tokensPerRow < 2
          || tokensPerRow > config.contextTokens() + 1
          || (tokenBytes != 1 && tokenBytes != 2)
          || tokens.byteSize() != (long) rows * tokensPerRow * tokenBytes) {
        throw new IllegalArgumentException(
            "batch does not fit the model: rows=%d tokensPerRow=%d tokenBytes=%d bytes=%d contextTokens=%d"
                .formatted(
                    rows, tokensPerRow, tokenBytes, tokens.byteSize(), config.contextTokens()));
      }
    }

    int rows() {
      return rows;
    }

    int targets() {
      return rows * (tokensPerRow - 1);
    }

    int[] ids(int row) {
      int[] ids = new int[tokensPerRow];
      for (int i = 0; i < tokensPerRow; i++) {
        long index = (long) row * tokensPerRow + i;
        ids[i] =
            tokenBytes == 1
                ? Byte.toUnsignedInt(tokens.get(ValueLayout.JAVA_BYTE, index))
                : Short.toUnsignedInt(tokens.get(TOKEN16, 2 * index));
        if (ids[i] >= config.vocabulary()) {
          throw new IllegalArgumentException(
              "token out of range: row=%d column=%d token=%d vocabulary=%d"
                  .formatted(row, i, ids[i], config.vocabulary()));
        }
      }
      return ids;
    }
  }
}
