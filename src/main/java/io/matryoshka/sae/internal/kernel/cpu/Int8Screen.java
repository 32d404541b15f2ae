package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/**
 * Screens the tiles of a block with an int8 product. With {@code x = sx qx + ex} and {@code w = sw
 * qw + ew}, the product gives {@code sx sw (qx . qw)} exactly and {@code |x . w - sx sw (qx . qw)|
 * <= |ex| |w| + |sx qx| |ew|}.
 */
final class Int8Screen {

  /** Covers the rounding when a bound is converted from code units. */
  private static final float CONVERSION = 0x1p-20f;

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final QuantisedRows rows;
  private final TorchKernels kernels;
  private final NDManager scope;

  Int8Screen(
      EncoderRows encoder,
      LatentTerms terms,
      QuantisedRows rows,
      TorchKernels kernels,
      NDManager scope) {
    this.encoder = encoder;
    this.terms = terms;
    this.rows = rows;
    this.kernels = kernels;
    this.scope = scope;
  }

  /**
   * Finds the latents whose pre-activation could exceed its limit.
   *
   * @param tile which latents
   * @param most after this many candidates of a row the rest of the row is left out
   */
  TileCandidates screen(Tile tile, int most) {
    TileBounds upper = TileBounds.of(rows, terms, true, tile);
    TileCandidates found = new TileCandidates(rows.rows, Candidates.Known.NOTHING);
    int[] products = new int[tile.count()];
    float[] bounds = new float[tile.count()];
    IntegerBounds test = new IntegerBounds(encoder.dIn, tile.count());
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer all = products(tile, tileScope);
      for (int row = 0; row < rows.rows; row++) {
        if (rows.screenable[row]) {
          all.get(row * tile.count(), products);
          upper.fill(row, bounds);
          test.scan(products, bounds, tile.first(), most, found);
        }
        found.endRow(row);
      }
    }
    return found;
  }

  /**
   * Finds the latents that could be among the {@code k} largest of their row.
   *
   * @param tile which latents
   * @param number the tile's number
   * @param k how many are wanted of each row
   * @param floors takes the lower bounds found
   */
  TileCandidates screenTop(Tile tile, int number, int k, RowKthLargest floors) {
    TileBounds upper = TileBounds.of(rows, terms, true, tile);
    TileBounds lower = TileBounds.of(rows, terms, false, tile);
    TileCandidates found = new TileCandidates(rows.rows, Candidates.Known.BOUND);
    int[] products = new int[tile.count()];
    float[] most = new float[tile.count()];
    float[] least = new float[tile.count()];
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer all = products(tile, tileScope);
      for (int row = 0; row < rows.rows; row++) {
        KthLargest top = new KthLargest(k);
        if (rows.screenable[row]) {
          all.get(row * tile.count(), products);
          upper.fill(row, most);
          lower.fill(row, least);
          toUpperBounds(products, most, tile.first(), rows.step[row]);
          toLowerBounds(products, least, tile.first(), rows.step[row]);
          top.scan(most, least, tile.first(), floors.soFar(row), found);
        }
        floors.put(row, number, top);
        found.endRow(row);
      }
    }
    return found;
  }

  /** Adds a lower bound of every pre-activation of the tile that may be positive. */
  void collectLowerBounds(Tile tile, BoundHistogram histogram) {
    TileBounds lower = TileBounds.of(rows, terms, false, tile);
    int[] products = new int[tile.count()];
    float[] least = new float[tile.count()];
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer all = products(tile, tileScope);
      for (int row = 0; row < rows.rows; row++) {
        if (rows.screenable[row]) {
          all.get(row * tile.count(), products);
          lower.fill(row, least);
          toLowerBounds(products, least, tile.first(), rows.step[row]);
          for (float bound : least) {
            histogram.add(bound);
          }
        }
      }
    }
  }

  /** From terms in code units to upper bounds of the pre-activation less its limit. */
  private void toUpperBounds(int[] products, float[] bounds, int first, float rowStep) {
    for (int j = 0; j < bounds.length; j++) {
      float bound = (products[j] + bounds[j]) * (terms.step[first + j] * rowStep);
      bounds[j] = bound + Math.abs(bound) * CONVERSION;
    }
  }

  /** From terms in code units to lower bounds of the pre-activation less its limit. */
  private void toLowerBounds(int[] products, float[] bounds, int first, float rowStep) {
    for (int j = 0; j < bounds.length; j++) {
      float bound = (products[j] + bounds[j]) * (terms.step[first + j] * rowStep);
      bounds[j] = bound - Math.abs(bound) * CONVERSION;
    }
  }

  private IntBuffer products(Tile tile, NDManager tileScope) {
    int position = tile.first() % encoder.segmentLatents * encoder.dIn;
    ByteBuffer weights =
        encoder.codes[tile.first() / encoder.segmentLatents].slice(
            position, tile.count() * encoder.dIn);
    ByteBuffer memory = TileBuffers.ofThread().products();
    memory.clear().limit(rows.rows * tile.count() * Integer.BYTES);
    ByteBuffer target = memory.slice().order(ByteOrder.nativeOrder());
    NDArray w = tileScope.create(weights, new Shape(tile.count(), encoder.dIn), DataType.INT8);
    NDArray out = tileScope.create(target, new Shape(rows.rows, tile.count()), DataType.INT32);
    kernels.int8Product(rows.codes, w, out, tileScope);
    return target.asIntBuffer();
  }
}
