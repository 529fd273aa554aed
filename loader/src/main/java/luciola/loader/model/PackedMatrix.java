package luciola.loader.model;

import java.util.Arrays;

/**
 * The right-hand matrix of a product, rearranged for {@link Gemm}: panels of {@link #PANEL}
 * columns, in each panel row after row, the last panel filled up with zeros. Reused: the buffer
 * grows to the largest matrix ever packed.
 */
final class PackedMatrix {
  /** Columns of a panel: two vectors. */
  static final int PANEL = 2 * Gemm.LANES;

  float[] values = new float[0];
  int rows;
  int columns;

  /** Takes {@code rows × columns} from a row-major array. */
  void pack(float[] from, int offset, int stride, int rowCount, int columnCount) {
    resize(rowCount, columnCount);
    int to = 0;
    for (int panel = 0; panel < columnCount; panel += PANEL) {
      int width = Math.min(PANEL, columnCount - panel);
      for (int row = 0; row < rowCount; row++, to += PANEL) {
        System.arraycopy(from, offset + row * stride + panel, values, to, width);
        if (width < PANEL) {
          Arrays.fill(values, to + width, to + PANEL, 0);
        }
      }
    }
  }

  /** Takes the transpose of a row-major array: row i, column j is {@code from[j][i]}. */
  void packTransposed(float[] from, int offset, int stride, int rowCount, int columnCount) {
    resize(rowCount, columnCount);
    for (int column = 0; column < columnCount; column++) {
      int to = (column / PANEL) * PANEL * rowCount + column % PANEL;
      int source = offset + column * stride;
      for (int row = 0; row < rowCount; row++) {
        values[to + row * PANEL] = from[source + row];
      }
    }
    clearPadding();
  }

  private void resize(int rowCount, int columnCount) {
    rows = rowCount;
    columns = columnCount;
    int needed = Math.ceilDiv(columnCount, PANEL) * PANEL * rowCount;
    if (values.length < needed) {
      values = new float[needed];
    }
  }

  private void clearPadding() {
    int used = columns % PANEL;
    if (used == 0) {
      return;
    }
    int panel = columns / PANEL * PANEL * rows;
    for (int row = 0; row < rows; row++) {
      int at = panel + row * PANEL;
      Arrays.fill(values, at + used, at + PANEL, 0);
    }
  }
}
