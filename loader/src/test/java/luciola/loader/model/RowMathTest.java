package luciola.loader.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class RowMathTest {
  @Test
  void theExponentialIsExactToThreeUnitsInTheLastPlace() {
    for (float x = 0; x > -87; x -= 0.00371f) {
      double expected = Math.exp(x);
      float actual = RowMath.exp(FloatVector.broadcast(Gemm.SPECIES, x)).lane(0);
      assertEquals(expected, actual, 3 * Math.ulp((float) expected), "x=" + x);
    }
  }

  @Test
  void exponentialsOfARowAreThoseOfItsDistancesToTheMaximum() {
    for (int length : new int[] {1, 3, 16, 17, 61}) {
      float[] row = new float[length + 2];
      for (int i = 0; i < row.length; i++) {
        row[i] = (i * 37 % 11) - 4f;
      }
      float[] before = row.clone();
      float max = Float.NEGATIVE_INFINITY;
      for (int i = 1; i <= length; i++) {
        max = Math.max(max, before[i]);
      }
      double sum = 0;
      float actualSum = new RowMath().exponentials(row, 1, length, 0.5f);
      for (int i = 1; i <= length; i++) {
        double expected = Math.exp(0.5 * (before[i] - max));
        assertEquals(expected, row[i], 1e-6);
        sum += expected;
      }
      assertEquals(sum, actualSum, 1e-4);
      assertEquals(before[0], row[0]);
      assertEquals(before[length + 1], row[length + 1]);
    }
  }
}
