package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Screens a block of rows: finds, for each, every latent whose pre-activation could exceed its
 * limit. With {@code x = sx qx + ex} and {@code w = sw qw + ew}, the int8 product gives {@code sx
 * sw (qx . qw)} exactly and {@code |x . w - sx sw (qx . qw)| <= |ex| |w| + |sx qx| |ew|}.
 */
final class BlockScreen {

  /** Elements of one product tile: 16 MiB of int32. */
  private static final int TILE_ELEMENTS = 1 << 22;

  /** A row with more candidates than this share of the latents is screened in float32. */
  private static final int DENSE_SHARE = 8;

  /** From this many rows on a block is scanned in parallel. */
  private static final int PARALLEL_ROWS = 16;

  /** After a block on which int8 was of no use, this many go straight to float32. */
  private static final int BLOCKS_WITHOUT_INT8 = 15;

  /** Rows of one float32 screening product. */
  private static final int DENSE_ROWS = 64;

  /** One large product at a time: libtorch uses all cores for each, more would only compete. */
  private static final ReentrantLock PRODUCTS = new ReentrantLock(true);

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final float[] scale;
  private final NDArray wEnc;
  private final NDArray upperTerms;
  private final NDArray lowerTerms;
  private final NDArray perStep;
  private final TorchKernels kernels = TorchKernels.on(Device.cpu());
  private final Int8Support int8 = Int8Support.of(kernels);
  private final AtomicInteger blocksToSkip = new AtomicInteger();

  /**
   * What screening a block gave.
   *
   * @param candidates one list per row
   * @param screened pre-activations that the int8 product covered
   * @param denseRows rows that needed float32 screening
   */
  record Result(Candidates[] candidates, long screened, int denseRows) {}

  /**
   * Prepares the test.
   *
   * @param encoder the encoder's rows and codes
   * @param terms per-latent numbers of the test
   * @param scale factor on pre-activations
   * @param wEnc {@code [d_in, d_sae]}, of which outlier dimensions are read
   * @param owner owns what lives as long as this object
   */
  BlockScreen(
      EncoderRows encoder, LatentTerms terms, float[] scale, NDArray wEnc, NDManager owner) {
    this.encoder = encoder;
    this.terms = terms;
    this.scale = scale;
    this.wEnc = wEnc;
    Shape shape = new Shape(LatentTerms.TERMS, encoder.dSae);
    upperTerms = owner.create(terms.upperTerms(), shape);
    lowerTerms = owner.create(terms.lowerTerms(), shape);
    float[] factors = new float[encoder.dSae];
    for (int j = 0; j < factors.length; j++) {
      factors[j] = scale[j] / terms.step[j];
    }
    perStep = owner.create(factors);
  }

  /**
   * Screens a block.
   *
   * @param x {@code [n, d_in]} prepared activations
   * @param n rows
   * @param width leading latents to look at
   * @param topK if positive, only what can be among the {@code topK} largest of its row is kept
   * @param scope owns temporaries
   */
  Result screen(float[] x, int n, int width, int topK, NDManager scope) {
    QuantisedRows rows = quantise(x, n);
    Candidates[] found = new Candidates[n];
    TopFloor[] floors = new TopFloor[n];
    for (int row = 0; row < n; row++) {
      found[row] = new Candidates();
      floors[row] = topK > 0 ? new TopFloor(topK) : null;
    }
    int most = width / DENSE_SHARE + 2 * topK + 64;
    if (!useInt8()) {
      return screenAllDense(rows, width, topK, found, scope);
    }
    forEachTile(
        rows,
        width,
        topK > 0,
        scope,
        (tile, row) -> {
          if (rows.screenable[row] && found[row].size <= most) {
            if (topK > 0) {
              tile.scanTop(row, rows.step[row], floors[row], found[row]);
            } else {
              tile.scan(row, found[row]);
            }
          }
        });
    List<Integer> dense = new ArrayList<>();
    for (int row = 0; row < n; row++) {
      if (!rows.screenable[row]) {
        found[row].addAll(width);
      } else if (found[row].size > most) {
        dense.add(row);
      } else if (topK > 0) {
        found[row].dropBelow(floors[row].floor());
      }
    }
    if (2 * dense.size() > n) {
      blocksToSkip.set(BLOCKS_WITHOUT_INT8);
    }
    screenDense(rows, dense, width, topK, found, scope);
    return new Result(found, (long) n * width, dense.size());
  }

  /** False where int8 products are not exact, and for a while after they were of no use. */
  private boolean useInt8() {
    return int8.isExact(encoder.dIn)
        && blocksToSkip.getAndUpdate(left -> Math.max(0, left - 1)) == 0;
  }

  private Result screenAllDense(
      QuantisedRows rows, int width, int topK, Candidates[] found, NDManager scope) {
    List<Integer> dense = new ArrayList<>();
    for (int row = 0; row < rows.rows; row++) {
      if (rows.screenable[row]) {
        dense.add(row);
      } else {
        found[row].addAll(width);
      }
    }
    screenDense(rows, dense, width, topK, found, scope);
    return new Result(found, 0, dense.size());
  }

  /** Adds a lower bound of every pre-activation that may be positive, or nothing. */
  void collectLowerBounds(float[] x, int n, int width, BoundHistogram histogram, NDManager scope) {
    if (!useInt8()) {
      return;
    }
    QuantisedRows rows = quantise(x, n);
    forEachTile(
        rows,
        width,
        true,
        scope,
        (tile, row) -> {
          if (rows.screenable[row]) {
            for (int j = 0; j < tile.count; j++) {
              histogram.add(tile.lowerBound(row, j, rows.step[row]));
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

  private void forEachTile(
      QuantisedRows rows, int width, boolean lowerBounds, NDManager scope, RowScan scan) {
    int n = rows.rows;
    int tileLatents =
        Math.max(1, TILE_ELEMENTS / n / EncoderRows.TILE_LATENTS) * EncoderRows.TILE_LATENTS;
    NDArray codes =
        scope.create(rows.codes.duplicate().rewind(), new Shape(n, rows.dIn), DataType.INT8);
    BoundMatrix upper = new BoundMatrix(rows, upperTerms, perStep, wEnc, width, scope);
    BoundMatrix lower =
        lowerBounds ? new BoundMatrix(rows, lowerTerms, perStep, wEnc, width, scope) : null;
    for (int first = 0; first < width; ) {
      int inSegment = first % encoder.segmentLatents;
      int count =
          Math.min(Math.min(width - first, tileLatents), encoder.segmentLatents - inSegment);
      try (NDManager tileScope = scope.newSubManager()) {
        IntBuffer products = products(codes, first, count, tileScope);
        Tile tile =
            new Tile(
                first,
                count,
                products,
                upper.of(first, count, tileScope),
                lower == null ? null : lower.of(first, count, tileScope));
        IntStream indices = IntStream.range(0, n);
        (n >= PARALLEL_ROWS ? indices.parallel() : indices).forEach(row -> scan.scan(tile, row));
      }
      first += count;
    }
  }

  private IntBuffer products(NDArray codes, int first, int count, NDManager scope) {
    ByteBuffer weights =
        encoder.codes[first / encoder.segmentLatents].slice(
            first % encoder.segmentLatents * encoder.dIn, count * encoder.dIn);
    NDArray w = scope.create(weights, new Shape(count, encoder.dIn), DataType.INT8);
    NDArray products = exclusively(() -> kernels.int8Product(codes, w));
    products.attach(scope);
    return products.toByteBuffer(true).order(ByteOrder.nativeOrder()).asIntBuffer();
  }

  private static NDArray exclusively(Supplier<NDArray> product) {
    PRODUCTS.lock();
    try {
      return product.get();
    } finally {
      PRODUCTS.unlock();
    }
  }

  /** The products of all rows with some consecutive latents, and what is added for the test. */
  private final class Tile {
    private final int first;
    private final int count;
    private final IntBuffer products;
    private final FloatBuffer upper;
    private final FloatBuffer lower;

    Tile(int first, int count, IntBuffer products, FloatBuffer upper, FloatBuffer lower) {
      this.first = first;
      this.count = count;
      this.products = products;
      this.upper = upper;
      this.lower = lower;
    }

    /** The inner loop: one addition and one comparison per latent. A NaN stays a candidate. */
    void scan(int row, Candidates found) {
      IntBuffer ints = products;
      FloatBuffer bounds = upper;
      int base = row * count;
      for (int j = 0; j < count; j++) {
        if (!(ints.get(base + j) + bounds.get(base + j) < 0)) {
          found.add(first + j, 0f);
        }
      }
    }

    void scanTop(int row, float rowStep, TopFloor floor, Candidates found) {
      int base = row * count;
      for (int j = 0; j < count; j++) {
        float bound =
            (products.get(base + j) + upper.get(base + j)) * terms.step[first + j] * rowStep;
        bound += Math.abs(bound) * 0x1p-20f;
        if (!(bound < Math.max(0f, floor.floor()))) {
          found.add(first + j, bound);
        }
        floor.offer(lowerBound(row, j, rowStep));
      }
    }

    float lowerBound(int row, int j, float rowStep) {
      int at = row * count + j;
      float bound = (products.get(at) + lower.get(at)) * terms.step[first + j] * rowStep;
      return bound - Math.abs(bound) * 0x1p-20f;
    }
  }

  /** Screens single rows with a float32 product, whose bound is that of rounding alone. */
  private void screenDense(
      QuantisedRows rows,
      List<Integer> dense,
      int width,
      int topK,
      Candidates[] found,
      NDManager scope) {
    DenseScreen screen = new DenseScreen(encoder, terms, scale, kernels);
    for (int begin = 0; begin < dense.size(); begin += DENSE_ROWS) {
      List<Integer> group = dense.subList(begin, Math.min(dense.size(), begin + DENSE_ROWS));
      FloatBuffer x = FloatBuffer.allocate(group.size() * rows.dIn);
      for (int row : group) {
        found[row].clear();
        x.put(rows.values, row * rows.dIn, rows.dIn);
      }
      NDArray input = scope.create(x.array(), new Shape(group.size(), rows.dIn));
      for (int first = 0; first < width; ) {
        int inSegment = first % encoder.segmentLatents;
        int count = Math.min(width - first, encoder.segmentLatents - inSegment);
        int from = first;
        try (NDManager tileScope = scope.newSubManager()) {
          NDArray z = exclusively(() -> screen.products(input, from, count, tileScope));
          screen.scan(z, group, rows, from, count, found);
        }
        first += count;
      }
      if (topK > 0) {
        group.forEach(row -> DenseScreen.keepTop(found[row], topK, rows.norm[row], terms));
      }
    }
  }
}
