package luciola.loader.model;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Matrix products in fp32 by fused multiply-add, in tiles of 4 rows × 2 vectors whose sums stay in
 * registers: on AVX-512 eight chains of multiply-adds hide their latency, and the compiler keeps
 * all of them in registers (tiles of eight rows spilled and ran at a quarter of the speed).
 *
 * <p>Each value is a sum in the order of the inner index, so it does not depend on the vector
 * length or on compilation. One instance per thread.
 */
final class Gemm {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  static final int LANES = SPECIES.length();

  private static final int PANEL = 2 * LANES;
  private static final int TILE_ROWS = 4;

  private final float[] tile = new float[TILE_ROWS * PANEL];
  private float[] transposed = new float[0];
  private long flops;

  /** Floating-point operations done so far: a multiply and an add for each term. */
  long flops() {
    return flops;
  }

  /**
   * {@code c = a · b}, or {@code c += a · b}.
   *
   * @param a row-major, {@code rows × b.rows}
   * @param c row-major, {@code rows × b.columns}
   */
  void multiply(float[] a, int aOffset, int aStride, int rows, PackedMatrix b, Target c) {
    int inner = b.rows;
    flops += 2L * rows * inner * b.columns;
    for (int column = 0; column < b.columns; column += PANEL) {
      int panel = column * inner;
      for (int row = 0; row < rows; row += TILE_ROWS) {
        int last = rows - 1;
        int a0 = aOffset + row * aStride;
        int a1 = aOffset + Math.min(row + 1, last) * aStride;
        int a2 = aOffset + Math.min(row + 2, last) * aStride;
        int a3 = aOffset + Math.min(row + 3, last) * aStride;
        if (row + TILE_ROWS <= rows && column + PANEL <= b.columns) {
          int at = c.offset + row * c.stride + column;
          rowTile(a, a0, a1, a2, a3, b.values, panel, inner, c.values, at, c.stride, c.add);
        } else {
          rowTile(a, a0, a1, a2, a3, b.values, panel, inner, tile, 0, PANEL, false);
          copyTile(c, row, Math.min(TILE_ROWS, rows - row), column, b.columns);
        }
      }
    }
  }

  /**
   * {@code c = aᵀ · b}, or {@code c += aᵀ · b}.
   *
   * @param a row-major, {@code b.rows × rows}
   * @param rows of the transpose and of c
   */
  void multiplyTransposed(float[] a, int aOffset, int aStride, int rows, PackedMatrix b, Target c) {
    int inner = b.rows;
    flops += 2L * rows * inner * b.columns;
    packTransposed(a, aOffset, aStride, rows, inner);
    for (int column = 0; column < b.columns; column += PANEL) {
      int panel = column * inner;
      for (int row = 0; row < rows; row += TILE_ROWS) {
        int from = row * inner;
        if (row + TILE_ROWS <= rows && column + PANEL <= b.columns) {
          int at = c.offset + row * c.stride + column;
          packedTile(transposed, from, b.values, panel, inner, c.values, at, c.stride, c.add);
        } else {
          packedTile(transposed, from, b.values, panel, inner, tile, 0, PANEL, false);
          copyTile(c, row, Math.min(TILE_ROWS, rows - row), column, b.columns);
        }
      }
    }
  }

  /**
   * Where a product goes.
   *
   * @param add to what is there, instead of replacing it
   */
  @SuppressWarnings("ArrayRecordComponent") // a place to write to, never compared
  record Target(float[] values, int offset, int stride, boolean add) {}

  private void packTransposed(float[] a, int offset, int stride, int rows, int inner) {
    int needed = Math.ceilDiv(rows, TILE_ROWS) * TILE_ROWS * inner;
    if (transposed.length < needed) {
      transposed = new float[needed];
    }
    int to = 0;
    for (int row = 0; row < rows; row += TILE_ROWS) {
      int width = Math.min(TILE_ROWS, rows - row);
      for (int k = 0; k < inner; k++, to += TILE_ROWS) {
        int from = offset + k * stride + row;
        if (width == TILE_ROWS) {
          transposed[to] = a[from];
          transposed[to + 1] = a[from + 1];
          transposed[to + 2] = a[from + 2];
          transposed[to + 3] = a[from + 3];
        } else {
          for (int r = 0; r < TILE_ROWS; r++) {
            transposed[to + r] = r < width ? a[from + r] : 0;
          }
        }
      }
    }
  }

  private void copyTile(Target c, int row, int rowCount, int column, int columns) {
    int width = Math.min(PANEL, columns - column);
    for (int r = 0; r < rowCount; r++) {
      int at = c.offset + (row + r) * c.stride + column;
      for (int j = 0; j < width; j++) {
        float value = tile[r * PANEL + j];
        c.values[at + j] = c.add ? c.values[at + j] + value : value;
      }
    }
  }

  private static void rowTile(
      float[] a,
      int a0,
      int a1,
      int a2,
      int a3,
      float[] b,
      int panel,
      int inner,
      float[] c,
      int at,
      int stride,
      boolean add) {
    FloatVector zero = FloatVector.zero(SPECIES);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    for (int k = 0; k < inner; k++) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    put(c, at, c00, c01, add);
    put(c, at + stride, c10, c11, add);
    put(c, at + 2 * stride, c20, c21, add);
    put(c, at + 3 * stride, c30, c31, add);
  }

  private static void packedTile(
      float[] a,
      int from,
      float[] b,
      int panel,
      int inner,
      float[] c,
      int at,
      int stride,
      boolean add) {
    FloatVector zero = FloatVector.zero(SPECIES);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    for (int k = 0; k < inner; k++) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, panel + k * PANEL + LANES);
      int i = from + k * TILE_ROWS;
      FloatVector x = FloatVector.broadcast(SPECIES, a[i]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[i + 1]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[i + 2]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[i + 3]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    put(c, at, c00, c01, add);
    put(c, at + stride, c10, c11, add);
    put(c, at + 2 * stride, c20, c21, add);
    put(c, at + 3 * stride, c30, c31, add);
  }

  private static void put(float[] c, int at, FloatVector x, FloatVector y, boolean add) {
    if (add) {
      FloatVector.fromArray(SPECIES, c, at).add(x).intoArray(c, at);
      FloatVector.fromArray(SPECIES, c, at + LANES).add(y).intoArray(c, at + LANES);
    } else {
      x.intoArray(c, at);
      y.intoArray(c, at + LANES);
    }
  }
}
