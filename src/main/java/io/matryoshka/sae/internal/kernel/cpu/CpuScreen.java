package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Screens a block of rows: finds, for each, every latent whose pre-activation could exceed its
 * limit. The int8 product does it where it pays and its bound is useful, a float32 product
 * elsewhere.
 */
final class CpuScreen {

  private final ScreeningProduct product;
  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final boolean gated;
  private final Float32Screen float32;
  private final TorchKernels kernels = TorchKernels.on(Device.cpu());
  private final ProductChoice int8 = ProductChoice.ofThisMachine();
  private final AtomicInteger blocksToSkip = new AtomicInteger();

  /**
   * What screening a block gave.
   *
   * @param candidates one list per row
   * @param fallbackRows rows that needed float32 screening
   */
  record Result(Candidates[] candidates, int fallbackRows) {}

  /**
   * Prepares the test.
   *
   * @param product with which product to screen
   * @param encoder the encoder's rows and codes
   * @param terms per-latent numbers of the test
   * @param test what makes a latent active
   */
  CpuScreen(ScreeningProduct product, EncoderRows encoder, LatentTerms terms, ActivationTest test) {
    this.product = product;
    this.encoder = encoder;
    this.terms = terms;
    this.gated = test.isGated();
    float32 = new Float32Screen(encoder, terms, test, new TorchProduct(encoder, kernels));
  }

  /**
   * Screens a block.
   *
   * @param x prepared activations
   * @param width leading latents to look at
   * @param topK if positive, only what can be among the {@code topK} largest of its row is kept
   * @param exact whether all values must be those of the exact product; else, those of a small
   *     prefix without gates may come from a float32 product over all of it, where computing them
   *     again would take long beside it
   * @param scope owns temporaries
   */
  Result screen(ActivationRows x, int width, int topK, boolean exact, NDManager scope) {
    int8.countBlock();
    if (!product.isInt8(int8, encoder.dIn, width)) {
      boolean withValues = !exact && !gated && width <= Tuning.SMALL_WIDTH;
      Candidates.Known known = withValues ? Candidates.Known.VALUE : Candidates.Known.NOTHING;
      return new Result(screen(x, width, topK, known, scope), x.rows);
    }
    QuantisedRows rows = QuantisedRows.of(x, scope);
    Candidates[] found = new Candidates[x.rows];
    boolean withInt8 = (long) topK * Tuning.TOP_SHARE <= width && isInt8Useful();
    if (withInt8) {
      List<Tile> tiles = Tile.cut(width, rows.rows, encoder);
      Int8Screen screen = int8Screen(rows, scope);
      if (topK > 0) {
        screenTop(screen, rows, tiles, width, topK, found);
      } else {
        screenThreshold(screen, rows, tiles, width, found);
      }
    }
    for (int row = 0; row < found.length; row++) {
      if (!rows.screenable[row]) {
        found[row] = Candidates.all(width);
      }
    }
    int[] left = IntStream.range(0, found.length).filter(row -> found[row] == null).toArray();
    if (withInt8 && 2 * left.length > found.length) {
      blocksToSkip.set(Tuning.BLOCKS_WITHOUT_INT8);
    }
    if (left.length > 0) {
      Candidates[] fallback = screen(x.select(left), width, topK, Candidates.Known.NOTHING, scope);
      for (int i = 0; i < left.length; i++) {
        found[left[i]] = fallback[i];
      }
    }
    return new Result(found, left.length);
  }

  /** False for a while after int8 products were of no use. */
  private boolean isInt8Useful() {
    return blocksToSkip.getAndUpdate(left -> Math.max(0, left - 1)) == 0;
  }

  private Candidates[] screen(
      ActivationRows x, int width, int topK, Candidates.Known known, NDManager scope) {
    return topK > 0
        ? float32.screenTop(x, width, topK, scope)
        : float32.screen(x, width, known, scope);
  }

  private Int8Screen int8Screen(QuantisedRows rows, NDManager scope) {
    return new Int8Screen(encoder, terms, rows, kernels, scope);
  }

  private void screenThreshold(
      Int8Screen screen, QuantisedRows rows, List<Tile> tiles, int width, Candidates[] found) {
    int max = width / Tuning.FALLBACK_SHARE + 64;
    TileCandidates[] parts = new TileCandidates[tiles.size()];
    forEachTile(tiles, (tile, number) -> parts[number] = screen.screen(tile, max));
    for (int row = 0; row < found.length; row++) {
      if (rows.screenable[row]) {
        found[row] = TileCandidates.join(parts, row, max);
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
    RowKthLargest floors = new RowKthLargest(found.length, tiles.size(), topK);
    TileCandidates[] parts = new TileCandidates[tiles.size()];
    forEachTile(
        tiles, (tile, number) -> parts[number] = screen.screenTop(tile, number, topK, floors));
    int max = width / Tuning.FALLBACK_SHARE + 2 * topK + 64;
    for (int row = 0; row < found.length; row++) {
      if (rows.screenable[row]) {
        Candidates joined = TileCandidates.join(parts, row, Integer.MAX_VALUE);
        joined.dropBelow(floors.of(row));
        found[row] = joined.size > max ? null : joined;
      }
    }
  }

  /** Adds a lower bound of every pre-activation that may be positive, or nothing. */
  void collectLowerBounds(ActivationRows x, int width, BoundHistogram histogram, NDManager scope) {
    if (!product.isInt8(int8, encoder.dIn, width) || !isInt8Useful()) {
      float32.collectLowerBounds(x, width, histogram, scope);
      return;
    }
    Int8Screen screen = int8Screen(QuantisedRows.of(x, scope), scope);
    forEachTile(
        Tile.cut(width, x.rows, encoder),
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
}
