package io.matryoshka.sae.kernel;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Screens a block of rows: finds, for each, every latent whose pre-activation could exceed its
 * limit. The int8 product does it where its bound is useful, a float32 product elsewhere.
 */
final class BlockScreen {

  /** A row with more candidates than this share of the latents is screened in float32. */
  private static final int DENSE_SHARE = 8;

  /** Of this share of the latents on, top-k has no use for the int8 product. */
  private static final int TOP_SHARE = 16;

  /** After a block on which int8 was of no use, this many go straight to float32. */
  private static final int BLOCKS_WITHOUT_INT8 = 15;

  /** Rows of one float32 screening product. */
  private static final int DENSE_ROWS = 64;

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final DenseScreen dense;
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
   */
  BlockScreen(EncoderRows encoder, LatentTerms terms, float[] scale) {
    this.encoder = encoder;
    this.terms = terms;
    dense = new DenseScreen(encoder, terms, scale, kernels);
  }

  /**
   * Screens a block.
   *
   * @param rows prepared activations
   * @param width leading latents to look at
   * @param topK if positive, only what can be among the {@code topK} largest of its row is kept
   * @param scope owns temporaries
   */
  Result screen(QuantisedRows rows, int width, int topK, NDManager scope) {
    Candidates[] found = new Candidates[rows.rows];
    boolean withInt8 = (long) topK * TOP_SHARE <= width && useInt8();
    if (withInt8) {
      List<Tile> tiles = Tile.cut(width, rows.rows, encoder);
      Int8Screen screen = int8Screen(rows, scope);
      if (topK > 0) {
        screenTop(screen, rows, tiles, width, topK, found);
      } else {
        screenThreshold(screen, rows, tiles, width, found);
      }
    }
    List<Integer> left = new ArrayList<>();
    for (int row = 0; row < rows.rows; row++) {
      if (!rows.screenable[row]) {
        found[row] = Candidates.all(width);
      } else if (found[row] == null) {
        left.add(row);
      }
    }
    if (withInt8 && 2 * left.size() > rows.rows) {
      blocksToSkip.set(BLOCKS_WITHOUT_INT8);
    }
    for (int begin = 0; begin < left.size(); begin += DENSE_ROWS) {
      int end = Math.min(left.size(), begin + DENSE_ROWS);
      screenDense(rows, left.subList(begin, end), width, topK, found, scope);
    }
    return new Result(found, withInt8 ? (long) rows.rows * width : 0, left.size());
  }

  /** False where int8 products are not exact, and for a while after they were of no use. */
  private boolean useInt8() {
    return int8.isExact(encoder.dIn)
        && blocksToSkip.getAndUpdate(left -> Math.max(0, left - 1)) == 0;
  }

  private Int8Screen int8Screen(QuantisedRows rows, NDManager scope) {
    return new Int8Screen(encoder, terms, rows, kernels, scope);
  }

  private void screenThreshold(
      Int8Screen screen, QuantisedRows rows, List<Tile> tiles, int width, Candidates[] found) {
    int most = width / DENSE_SHARE + 64;
    TileCandidates[] parts = new TileCandidates[tiles.size()];
    forEachTile(tiles, (tile, number) -> parts[number] = screen.screen(tile, most));
    for (int row = 0; row < found.length; row++) {
      if (rows.screenable[row]) {
        found[row] = join(parts, row, false, most);
      }
    }
  }

  private void screenTop(
      Int8Screen screen,
      QuantisedRows rows,
      List<Tile> tiles,
      int width,
      int topK,
      Candidates[] found) {
    RowFloors floors = new RowFloors(found.length, tiles.size(), topK);
    TileCandidates[] parts = new TileCandidates[tiles.size()];
    forEachTile(
        tiles, (tile, number) -> parts[number] = screen.screenTop(tile, number, topK, floors));
    int most = width / DENSE_SHARE + 2 * topK + 64;
    for (int row = 0; row < found.length; row++) {
      if (rows.screenable[row]) {
        Candidates joined = join(parts, row, true, Integer.MAX_VALUE);
        joined.dropBelow(floors.of(row));
        found[row] = joined.size > most ? null : joined;
      }
    }
  }

  /** The candidates of all tiles, or null if there are more than {@code most}. */
  private static Candidates join(TileCandidates[] parts, int row, boolean withBounds, int most) {
    int size = 0;
    for (TileCandidates part : parts) {
      size += part.count(row);
    }
    if (size > most) {
      return null;
    }
    Candidates joined = new Candidates(size, withBounds);
    for (TileCandidates part : parts) {
      part.appendRow(row, joined);
    }
    return joined;
  }

  /** Adds a lower bound of every pre-activation that may be positive, or nothing. */
  void collectLowerBounds(
      QuantisedRows rows, int width, BoundHistogram histogram, NDManager scope) {
    if (!useInt8()) {
      return;
    }
    Int8Screen screen = int8Screen(rows, scope);
    forEachTile(
        Tile.cut(width, rows.rows, encoder),
        (tile, number) -> screen.collectLowerBounds(tile, histogram));
  }

  private interface TileTask {
    void run(Tile tile, int number);
  }

  private static void forEachTile(List<Tile> tiles, TileTask task) {
    Workers.forRanges(
        tiles.size(),
        1,
        (begin, end) -> {
          for (int number = begin; number < end; number++) {
            task.run(tiles.get(number), number);
          }
        });
  }

  /** Screens some rows with a float32 product, whose bound is that of rounding alone. */
  private void screenDense(
      QuantisedRows rows,
      List<Integer> group,
      int width,
      int topK,
      Candidates[] found,
      NDManager scope) {
    int n = group.size();
    float[] x = new float[n * rows.dIn];
    float[] norms = new float[n];
    for (int i = 0; i < n; i++) {
      rows.x.copyRow(group.get(i), x, i * rows.dIn);
      norms[i] = rows.norm[group.get(i)];
    }
    NDArray input = scope.create(x, new Shape(n, rows.dIn));
    List<Tile> tiles = Tile.cut(width, n, encoder);
    TileCandidates[] parts = new TileCandidates[tiles.size()];
    forEachTile(tiles, (tile, number) -> parts[number] = dense.screen(input, norms, tile, scope));
    for (int i = 0; i < n; i++) {
      Candidates joined = join(parts, i, true, Integer.MAX_VALUE);
      if (topK > 0) {
        dense.keepTop(joined, topK, norms[i]);
      }
      found[group.get(i)] = joined;
    }
  }
}
