package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.Rounding;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Screening with a float32 product over all latents, for rows on which the int8 product does not
 * pay. The bound is the rounding of two float32 products, so nearly every pre-activation is settled
 * by it: inactive, or active, for which the product gives a value where that is wanted. The few in
 * between are for {@link ExactProducts}, so that the active set does not depend on how libtorch
 * sums up a product.
 */
final class Float32Screen {

  /** Rows of one product. */
  private static final int GROUP_ROWS = Tuning.FLOAT32_GROUP_ROWS;

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final ActivationTest test;
  private final TorchProduct product;

  Float32Screen(EncoderRows encoder, LatentTerms terms, ActivationTest test, TorchProduct product) {
    this.encoder = encoder;
    this.terms = terms;
    this.test = test;
    this.product = product;
  }

  /**
   * Finds the latents whose pre-activation could exceed its limit.
   *
   * @param x the activations
   * @param width leading latents to look at
   * @param known whether a candidate that is settled comes with its activation, or nothing does
   * @param scope owns temporaries
   * @return one list per row
   */
  Candidates[] screen(ActivationRows x, int width, Candidates.Known known, NDManager scope) {
    Parts parts = new Parts(x, width, scope);
    parts.forEach(
        scope,
        part -> {
          TileCandidates found = parts.candidates(part, known);
          float[] upper = new float[part.tile.count()];
          for (int row = 0; row < part.rows; row++) {
            part.load(row);
            part.upperBounds(upper);
            scan(part, upper, known, found);
            found.endRow(row);
          }
        });
    return parts.join();
  }

  private void scan(Part part, float[] upper, Candidates.Known known, TileCandidates found) {
    for (int j = 0; j < upper.length; j++) {
      if (!(upper[j] < 0)) {
        if (known == Candidates.Known.VALUE) {
          found.add(part.tile.first() + j, part.settledValue(j));
        } else {
          found.add(part.tile.first() + j);
        }
      }
    }
  }

  /**
   * Finds the latents that could be among the {@code k} largest of their row.
   *
   * @param x the activations
   * @param width leading latents to look at
   * @param k how many are wanted of each row
   * @param scope owns temporaries
   * @return one list per row
   */
  Candidates[] screenTop(ActivationRows x, int width, int k, NDManager scope) {
    Parts parts = new Parts(x, width, scope);
    RowKthLargest floors = new RowKthLargest(x.rows, parts.tiles.size(), k);
    parts.forEach(
        scope,
        part -> {
          TileCandidates found = parts.candidates(part, Candidates.Known.BOUND);
          float[] most = new float[part.tile.count()];
          float[] least = new float[part.tile.count()];
          for (int row = 0; row < part.rows; row++) {
            KthLargest top = new KthLargest(k);
            part.load(row);
            part.upperBounds(most);
            part.lowerBounds(least);
            top.scan(most, least, part.tile.first(), floors.soFar(part.first + row), found);
            floors.put(part.first + row, part.number, top);
            found.endRow(row);
          }
        });
    Candidates[] found = parts.join();
    for (int row = 0; row < found.length; row++) {
      found[row].dropBelow(floors.of(row));
    }
    return found;
  }

  /** Adds a lower bound of every pre-activation that may be positive. */
  void collectLowerBounds(ActivationRows x, int width, BoundHistogram histogram, NDManager scope) {
    new Parts(x, width, scope)
        .forEach(
            scope,
            part -> {
              float[] least = new float[part.tile.count()];
              for (int row = 0; row < part.rows; row++) {
                part.load(row);
                part.lowerBounds(least);
                for (float bound : least) {
                  histogram.add(bound);
                }
              }
            });
  }

  /** All rows with all latents, cut into products that are computed and scanned together. */
  private final class Parts {
    private final ActivationRows x;
    private final TorchProduct.Groups factors;
    private final float[] norms;
    private final int groups;
    private final List<Tile> tiles;
    private final TileCandidates[][] found;

    Parts(ActivationRows x, int width, NDManager scope) {
      this.x = x;
      groups = (x.rows + GROUP_ROWS - 1) / GROUP_ROWS;
      tiles = Tile.cut(width, Math.min(GROUP_ROWS, x.rows), encoder);
      found = new TileCandidates[groups][tiles.size()];
      factors = product.groups(x, GROUP_ROWS, scope);
      norms = norms(x);
    }

    int rowsOf(int group) {
      return Math.min(GROUP_ROWS, x.rows - group * GROUP_ROWS);
    }

    void forEach(NDManager scope, Consumer<Part> task) {
      Workers.forRanges(
          groups * tiles.size(),
          1,
          (begin, end) -> {
            for (int p = begin; p < end; p++) {
              try (NDManager partScope = scope.newSubManager()) {
                task.accept(multiply(this, p / tiles.size(), p % tiles.size(), partScope));
              }
            }
          });
    }

    /** A new list for the candidates of a part. */
    TileCandidates candidates(Part part, Candidates.Known known) {
      TileCandidates list = new TileCandidates(part.rows, known);
      found[part.first / GROUP_ROWS][part.number] = list;
      return list;
    }

    Candidates[] join() {
      Candidates[] joined = new Candidates[x.rows];
      for (int row = 0; row < joined.length; row++) {
        joined[row] =
            TileCandidates.join(found[row / GROUP_ROWS], row % GROUP_ROWS, Integer.MAX_VALUE);
      }
      return joined;
    }
  }

  private static float[] norms(ActivationRows x) {
    float[] norms = new float[x.rows];
    Workers.forRanges(
        x.rows,
        Tuning.rowGrain(x.dIn),
        (begin, end) -> {
          float[][] row = StripedVector.zeros(x.dIn);
          float[] lanes = new float[StripedVector.length(x.dIn)];
          for (int r = begin; r < end; r++) {
            x.copyRow(r, row);
            norms[r] = Rounding.norm(StripedVector.sumOfSquares(row, lanes), x.dIn);
          }
        });
    return norms;
  }

  /** Multiplies a group of rows with a tile. */
  private Part multiply(Parts parts, int group, int number, NDManager scope) {
    FloatBuffer products = parts.factors.multiply(group, parts.tiles.get(number), scope);
    return new Part(parts, group, number, products);
  }

  /** The products of some rows with one tile, of which one row is looked at after the other. */
  private final class Part {
    private final Tile tile;

    /** Number of the tile. */
    private final int number;

    /** The first row. */
    private final int first;

    private final int rows;
    private final float[] norms;
    private final FloatBuffer all;

    /** Terms of the tile's latents. */
    private final float[] latentNorms;

    private final float[] factors;
    private final float[] offsets;
    private final float[] lowOffsets;

    /** Dot products of the row that is looked at. */
    private final float[] products;

    /** Bound of their rounding, relative to the norms of the latents. */
    private float error;

    Part(Parts parts, int group, int number, FloatBuffer all) {
      this.number = number;
      this.all = all;
      tile = parts.tiles.get(number);
      first = group * GROUP_ROWS;
      rows = parts.rowsOf(group);
      norms = parts.norms;
      latentNorms = ofTile(terms.norm);
      factors = ofTile(test.scale);
      offsets = ofTile(terms.offset);
      lowOffsets = ofTile(terms.lowOffset);
      products = new float[tile.count()];
    }

    private float[] ofTile(float[] values) {
      return Arrays.copyOfRange(values, tile.first(), tile.end());
    }

    /** Goes to a row. */
    void load(int row) {
      all.get(row * products.length, products);
      error = Rounding.up(terms.dotError * norms[first + row] * Rounding.INFLATE);
    }

    /** Upper bounds of the pre-activations less their limits. */
    void upperBounds(float[] bounds) {
      fill(bounds, products, factors, error, latentNorms, offsets);
    }

    /** Lower bounds of the pre-activations less their limits. */
    void lowerBounds(float[] bounds) {
      fill(bounds, products, factors, -error, latentNorms, lowOffsets);
    }

    /** The activation of a latent that is active in any order of summation, else NaN. */
    float settledValue(int j) {
      float lower = Math.fma(products[j], factors[j], lowOffsets[j] - error * latentNorms[j]);
      boolean settled = lower > 0 && lower < Float.POSITIVE_INFINITY;
      return settled ? (products[j] + test.bias[tile.first() + j]) * factors[j] : Float.NaN;
    }
  }

  /** Bounds of pre-activations less their limits. */
  static void fill(
      float[] bounds,
      float[] products,
      float[] factors,
      float error,
      float[] norms,
      float[] offsets) {
    for (int j = 0; j < bounds.length; j++) {
      bounds[j] = Math.fma(products[j], factors[j], Math.fma(error, norms[j], offsets[j]));
    }
  }
}
