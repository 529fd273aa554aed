package luciola.loader.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import luciola.loader.model.Gemm.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GemmTest {
  private final SplittableRandom random = new SplittableRandom(5);

  private float[] matrix(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) (random.nextDouble() - 0.5);
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "4,32,8",
    "3,5,7",
    "7,33,1",
    "8,64,16",
    "13,100,31",
    "128,32,128",
    "130,70,128"
  })
  void everyFormOfProductIsThatOfADoubleReference(int rows, int columns, int inner) {
    int pad = 3;
    float[] a = matrix(rows * (inner + pad) + pad);
    float[] aTransposed = matrix(inner * (rows + pad) + pad);
    float[] b = matrix(inner * (columns + pad) + pad);
    float[] bTransposed = matrix(columns * (inner + pad) + pad);
    Gemm gemm = new Gemm();
    PackedMatrix packed = new PackedMatrix();
    for (boolean add : new boolean[] {false, true}) {
      for (boolean transposedA : new boolean[] {false, true}) {
        for (boolean transposedB : new boolean[] {false, true}) {
          float[] c = matrix(rows * (columns + pad) + pad);
          float[] before = c.clone();
          if (transposedB) {
            packed.packTransposed(bTransposed, pad, inner + pad, inner, columns);
          } else {
            packed.pack(b, pad, columns + pad, inner, columns);
          }
          Target target = new Target(c, pad, columns + pad, add);
          if (transposedA) {
            gemm.multiplyTransposed(aTransposed, pad, rows + pad, rows, packed, target);
          } else {
            gemm.multiply(a, pad, inner + pad, rows, packed, target);
          }
          double[] expected = new double[c.length];
          for (int i = 0; i < c.length; i++) {
            expected[i] = before[i];
          }
          for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
              int at = pad + i * (columns + pad) + j;
              double sum = add ? before[at] : 0;
              for (int k = 0; k < inner; k++) {
                double x =
                    transposedA
                        ? aTransposed[pad + k * (rows + pad) + i]
                        : a[pad + i * (inner + pad) + k];
                double y =
                    transposedB
                        ? bTransposed[pad + j * (inner + pad) + k]
                        : b[pad + k * (columns + pad) + j];
                sum += x * y;
              }
              expected[at] = sum;
            }
          }
          for (int i = 0; i < c.length; i++) {
            assertEquals(expected[i], c[i], 1e-5, "value " + i);
          }
        }
      }
    }
  }
}
