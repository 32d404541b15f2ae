package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

/**
 * Screens a block of rows: finds, for each, every latent whose pre-activation could exceed its
 * limit. With {@code x = sx qx + ex} and {@code w = sw qw + ew}, the int8 product gives {@code sx
 * sw (qx . qw)} exactly and {@code |x . w - sx sw (qx . qw)| <= |ex| |w| + |sx qx| |ew|}.
 */
final class BlockScreen {

  /** Elements of one product tile: 4 MiB of int32, which stays in the cache for the scan. */
  private static final int TILE_ELEMENTS = 1 << 20;

  /** A row with more candidates than this share of the latents is screened in float32. */
  private static final int DENSE_SHARE = 8;

  /** From this many rows on a block is scanned in parallel. */
  private static final int PARALLEL_ROWS = 16;

  /** One large product at a time: libtorch uses all cores for each, more would only compete. */
  private static final ReentrantLock PRODUCTS = new ReentrantLock(true);

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final float[] scale;
  private final NDArray wEnc;
  private final TorchKernels kernels = TorchKernels.on(Device.cpu());

  /**
   * What screening a block gave.
   *
   * @param candidates one list per row
   * @param screened pre-activations that the int8 product covered
   * @param denseRows rows that needed float32 screening
   */
  record Result(Candidates[] candidates, long screened, int denseRows) {}

  BlockScreen(EncoderRows encoder, LatentTerms terms, float[] scale, NDArray wEnc) {
    this.encoder = encoder;
    this.terms = terms;
    this.scale = scale;
    this.wEnc = wEnc;
  }

  /**
   * Screens a block.
   *
   * @param x {@code [n, d_in]} prepared activations
   * @param n rows
   * @param width leading latents to look at
   * @param floor a value that pre-activations below are known not to be selected, 0 if unknown
   * @param topK if positive, only what can be among the {@code topK} largest of its row is kept
   * @param scope owns temporaries
   */
  Result screen(float[] x, int n, int width, float floor, int topK, NDManager scope) {
    QuantisedRows rows = quantise(x, n);
    Candidates[] found = new Candidates[n];
    TopFloor[] floors = new TopFloor[n];
    for (int row = 0; row < n; row++) {
      found[row] = new Candidates();
      floors[row] = topK > 0 ? new TopFloor(topK) : null;
    }
    int most = width / DENSE_SHARE + 2 * topK + 64;
    forEachTile(
        rows,
        width,
        scope,
        (tile, row) -> {
          if (rows.screenable[row] && found[row].size <= most) {
            if (topK > 0) {
              scanTopK(tile, row, rows, floors[row], found[row]);
            } else {
              scan(tile, row, rows, floor, found[row]);
            }
          }
        });
    List<Integer> dense = new ArrayList<>();
    for (int row = 0; row < n; row++) {
      if (topK > 0) {
        found[row].dropBelow(floors[row].floor());
      }
      if (!rows.screenable[row]) {
        found[row].addAll(width);
      } else if (found[row].size > most) {
        dense.add(row);
      }
    }
    screenDense(rows, dense, width, floor, topK, found, scope);
    return new Result(found, (long) n * width, dense.size());
  }

  /** Adds a lower bound of every pre-activation that may be positive. */
  void collectLowerBounds(float[] x, int n, int width, BoundHistogram histogram, NDManager scope) {
    QuantisedRows rows = quantise(x, n);
    forEachTile(
        rows,
        width,
        scope,
        (tile, row) -> {
          if (rows.screenable[row]) {
            for (int j = 0; j < tile.count; j++) {
              histogram.add(tile.lower(row, j, rows));
            }
          }
        });
  }

  private QuantisedRows quantise(float[] x, int n) {
    ByteBuffer codes = ByteBuffer.allocateDirect(n * encoder.dIn).order(ByteOrder.nativeOrder());
    return new QuantisedRows(x, n, encoder.dIn, codes);
  }

  private interface RowScan {
    void scan(Tile tile, int row);
  }

  /** The products of all rows with some consecutive latents. */
  private final class Tile {
    final int first;
    final int count;
    final IntBuffer products;
    final FloatBuffer outlierProducts;

    Tile(int first, int count, IntBuffer products, FloatBuffer outlierProducts) {
      this.first = first;
      this.count = count;
      this.products = products;
      this.outlierProducts = outlierProducts;
    }

    /** The approximation without its offset, in units of the row's step. */
    private float center(int row, int j, float perStep) {
      float center = products.get(row * count + j) * terms.step[first + j];
      return outlierProducts == null
          ? center
          : center + outlierProducts.get(row * count + j) * perStep * scale[first + j];
    }

    private float radius(int row, int j, QuantisedRows rows) {
      int latent = first + j;
      return rows.normFactor[row] * terms.norm[latent]
          + rows.residualFactor[row] * terms.residualNorm[latent];
    }

    float lower(int row, int j, QuantisedRows rows) {
      float perStep = 1f / rows.step[row];
      float low =
          center(row, j, perStep) - radius(row, j, rows) + perStep * terms.lowOffset[first + j];
      float value = low * rows.step[row];
      return value - Math.abs(value) * 0x1p-20f;
    }
  }

  private void forEachTile(QuantisedRows rows, int width, NDManager scope, RowScan scan) {
    int n = rows.rows;
    int tileLatents =
        Math.max(1, TILE_ELEMENTS / n / EncoderRows.TILE_LATENTS) * EncoderRows.TILE_LATENTS;
    NDArray codes =
        scope.create(rows.codes.duplicate().rewind(), new Shape(n, rows.dIn), DataType.INT8);
    OutlierProducts outliers = new OutlierProducts(rows, wEnc, width, scope);
    for (int first = 0; first < width; ) {
      int segment = first / encoder.segmentLatents;
      int inSegment = first % encoder.segmentLatents;
      int count =
          Math.min(Math.min(width - first, tileLatents), encoder.segmentLatents - inSegment);
      try (NDManager tileScope = scope.newSubManager()) {
        ByteBuffer weights = encoder.codes[segment].slice(inSegment * rows.dIn, count * rows.dIn);
        NDArray w = tileScope.create(weights, new Shape(count, rows.dIn), DataType.INT8);
        NDArray products = exclusively(() -> kernels.int8Product(codes, w));
        products.attach(tileScope);
        IntBuffer ints = products.toByteBuffer(true).order(ByteOrder.nativeOrder()).asIntBuffer();
        Tile tile = new Tile(first, count, ints, outliers.of(first, count, tileScope));
        IntStream indices = IntStream.range(0, n);
        (n >= PARALLEL_ROWS ? indices.parallel() : indices).forEach(row -> scan.scan(tile, row));
      }
      first += count;
    }
  }

  private static NDArray exclusively(java.util.function.Supplier<NDArray> product) {
    PRODUCTS.lock();
    try {
      return product.get();
    } finally {
      PRODUCTS.unlock();
    }
  }

  /** The inner loop: one multiply-add chain and one comparison per latent. */
  private void scan(Tile tile, int row, QuantisedRows rows, float floor, Candidates found) {
    float perStep = 1f / rows.step[row];
    float normFactor = rows.normFactor[row];
    float residualFactor = rows.residualFactor[row];
    float[] step = terms.step;
    float[] norm = terms.norm;
    float[] residualNorm = terms.residualNorm;
    float[] offset = terms.offset;
    IntBuffer products = tile.products;
    FloatBuffer extra = tile.outlierProducts;
    int base = row * tile.count;
    float least = floor * perStep * (1 - 0x1p-20f);
    for (int j = 0; j < tile.count; j++) {
      int latent = tile.first + j;
      float upper =
          products.get(base + j) * step[latent]
              + normFactor * norm[latent]
              + residualFactor * residualNorm[latent]
              + perStep * offset[latent];
      if (extra != null) {
        upper += extra.get(base + j) * perStep * scale[latent];
      }
      if (!(upper < least)) {
        found.add(latent, upper);
      }
    }
  }

  private void scanTopK(Tile tile, int row, QuantisedRows rows, TopFloor floor, Candidates found) {
    float perStep = 1f / rows.step[row];
    for (int j = 0; j < tile.count; j++) {
      int latent = tile.first + j;
      float upper =
          (tile.center(row, j, perStep)
                  + tile.radius(row, j, rows)
                  + perStep * terms.offset[latent])
              * rows.step[row];
      upper += Math.abs(upper) * 0x1p-20f;
      if (!(upper < Math.max(0f, floor.floor()))) {
        found.add(latent, upper);
      }
      floor.offer(tile.lower(row, j, rows));
    }
  }

  /** Screens single rows with a float32 product, whose bound is that of rounding alone. */
  private void screenDense(
      QuantisedRows rows,
      List<Integer> dense,
      int width,
      float floor,
      int topK,
      Candidates[] found,
      NDManager scope) {
    for (int begin = 0; begin < dense.size(); begin += PARALLEL_ROWS) {
      List<Integer> group = dense.subList(begin, Math.min(dense.size(), begin + PARALLEL_ROWS));
      FloatBuffer x = FloatBuffer.allocate(group.size() * rows.dIn);
      for (int row : group) {
        found[row].clear();
        x.put(rows.values, row * rows.dIn, rows.dIn);
      }
      NDArray input = scope.create(x.array(), new Shape(group.size(), rows.dIn));
      DenseScreen screen = new DenseScreen(encoder, terms, scale, kernels);
      for (int first = 0; first < width; ) {
        int inSegment = first % encoder.segmentLatents;
        int count = Math.min(width - first, encoder.segmentLatents - inSegment);
        int from = first;
        try (NDManager tileScope = scope.newSubManager()) {
          NDArray z = exclusively(() -> screen.products(input, from, count, tileScope));
          screen.scan(z, group, rows, from, count, floor, found);
        }
        first += count;
      }
      if (topK > 0) {
        group.forEach(row -> DenseScreen.keepTop(found[row], topK, rows.norm[row], terms));
      }
    }
  }

  /** The float32 products of the outlier dimensions, which the codes leave out. */
  private static final class OutlierProducts {
    private final NDArray values;
    private final NDArray weights;

    OutlierProducts(QuantisedRows rows, NDArray wEnc, int width, NDManager scope) {
      int[] dims = rows.outliers;
      if (dims.length == 0) {
        values = null;
        weights = null;
        return;
      }
      float[] picked = new float[rows.rows * dims.length];
      for (int row = 0; row < rows.rows; row++) {
        for (int d = 0; d < dims.length; d++) {
          float value = rows.values[row * rows.dIn + dims[d]];
          picked[row * dims.length + d] = rows.screenable[row] ? value : 0f;
        }
      }
      values = scope.create(picked, new Shape(rows.rows, dims.length));
      NDManager lines = scope.newSubManager();
      ai.djl.ndarray.NDList list = new ai.djl.ndarray.NDList();
      for (int dim : dims) {
        NDArray line = wEnc.get(new NDIndex(dim + ":" + (dim + 1) + ", :" + width));
        line.attach(lines);
        list.add(line);
      }
      weights = list.size() == 1 ? list.get(0).duplicate() : ai.djl.ndarray.NDArrays.concat(list);
      weights.attach(scope);
      lines.close();
    }

    FloatBuffer of(int first, int count, NDManager scope) {
      if (values == null) {
        return null;
      }
      NDArray part = weights.get(new NDIndex(":, " + first + ":" + (first + count)));
      part.attach(scope);
      NDArray products = values.matMul(part);
      products.attach(scope);
      return products.toByteBuffer(true).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
  }
}
