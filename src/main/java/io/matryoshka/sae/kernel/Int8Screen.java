package io.matryoshka.sae.kernel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Screens the tiles of a block with an int8 product. With {@code x = sx qx + ex} and {@code w = sw
 * qw + ew}, the product gives {@code sx sw (qx . qw)} exactly and {@code |x . w - sx sw (qx . qw)|
 * <= |ex| |w| + |sx qx| |ew|}.
 */
final class Int8Screen {

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final BoundMatrix bounds;
  private final QuantisedRows rows;
  private final NDArray codes;
  private final TorchKernels kernels;
  private final NDManager scope;

  Int8Screen(
      EncoderRows encoder,
      LatentTerms terms,
      BoundMatrix bounds,
      QuantisedRows rows,
      TorchKernels kernels,
      NDManager scope) {
    this.encoder = encoder;
    this.terms = terms;
    this.bounds = bounds;
    this.rows = rows;
    this.kernels = kernels;
    this.scope = scope;
    codes =
        scope.create(
            rows.codes.duplicate().rewind(), new Shape(rows.rows, rows.dIn), DataType.INT8);
  }

  /**
   * Finds the latents whose pre-activation could exceed its limit.
   *
   * @param tile which latents
   * @param most after this many candidates of a row the rest of the row is left out
   */
  TileCandidates screen(Tile tile, int most) {
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer products = products(tile, tileScope);
      FloatBuffer upper = bounds.upper(tile, tileScope);
      TileCandidates found = new TileCandidates(rows.rows, false);
      for (int row = 0; row < rows.rows; row++) {
        if (rows.screenable[row]) {
          scan(products, upper, row, tile, most, found);
        }
        found.endRow(row);
      }
      return found;
    }
  }

  /** The inner loop: one addition and one comparison per latent. A NaN stays a candidate. */
  private static void scan(
      IntBuffer products, FloatBuffer upper, int row, Tile tile, int most, TileCandidates found) {
    int base = row * tile.count();
    int last = found.size() + most;
    for (int j = 0; j < tile.count(); j++) {
      if (!(products.get(base + j) + upper.get(base + j) < 0)) {
        if (found.size() > last) {
          return;
        }
        found.add(tile.first() + j);
      }
    }
  }

  /**
   * Finds the latents that could be among the {@code k} largest of their row.
   *
   * @param tile which latents
   * @param number the tile's number
   * @param k how many are wanted of each row
   * @param floors takes the lower bounds found
   */
  TileCandidates screenTop(Tile tile, int number, int k, RowFloors floors) {
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer products = products(tile, tileScope);
      FloatBuffer upper = bounds.upper(tile, tileScope);
      FloatBuffer lower = bounds.lower(tile, tileScope);
      TileCandidates found = new TileCandidates(rows.rows, true);
      for (int row = 0; row < rows.rows; row++) {
        TopFloor top = new TopFloor(k);
        if (rows.screenable[row]) {
          scanTop(products, upper, lower, row, tile, floors.soFar(row), top, found);
        }
        floors.put(row, number, top);
        found.endRow(row);
      }
      return found;
    }
  }

  private void scanTop(
      IntBuffer products,
      FloatBuffer upper,
      FloatBuffer lower,
      int row,
      Tile tile,
      float floor,
      TopFloor top,
      TileCandidates found) {
    int base = row * tile.count();
    for (int j = 0; j < tile.count(); j++) {
      float product = products.get(base + j);
      float unit = terms.step[tile.first() + j] * rows.step[row];
      float most = (product + upper.get(base + j)) * unit;
      most += Math.abs(most) * 0x1p-20f;
      if (!(most < Math.max(Math.max(0f, floor), top.floor()))) {
        found.add(tile.first() + j, most);
      }
      top.offer(lowerBound(product, lower.get(base + j), unit));
    }
  }

  /** Adds a lower bound of every pre-activation of the tile that may be positive. */
  void collectLowerBounds(Tile tile, BoundHistogram histogram) {
    try (NDManager tileScope = scope.newSubManager()) {
      IntBuffer products = products(tile, tileScope);
      FloatBuffer lower = bounds.lower(tile, tileScope);
      for (int row = 0; row < rows.rows; row++) {
        if (!rows.screenable[row]) {
          continue;
        }
        int base = row * tile.count();
        for (int j = 0; j < tile.count(); j++) {
          float unit = terms.step[tile.first() + j] * rows.step[row];
          histogram.add(lowerBound(products.get(base + j), lower.get(base + j), unit));
        }
      }
    }
  }

  private static float lowerBound(float product, float term, float unit) {
    float bound = (product + term) * unit;
    return bound - Math.abs(bound) * 0x1p-20f;
  }

  private IntBuffer products(Tile tile, NDManager tileScope) {
    int position = tile.first() % encoder.segmentLatents * encoder.dIn;
    ByteBuffer weights =
        encoder.codes[tile.first() / encoder.segmentLatents].slice(
            position, tile.count() * encoder.dIn);
    ByteBuffer memory = Workers.buffers().products();
    memory.clear().limit(rows.rows * tile.count() * Integer.BYTES);
    ByteBuffer target = memory.slice().order(ByteOrder.nativeOrder());
    NDArray w = tileScope.create(weights, new Shape(tile.count(), encoder.dIn), DataType.INT8);
    NDArray out = tileScope.create(target, new Shape(rows.rows, tile.count()), DataType.INT32);
    kernels.int8Product(codes, w, out, tileScope);
    return target.asIntBuffer();
  }
}
