package io.matryoshka.sae.internal.kernel.cpu;

import io.matryoshka.sae.internal.kernel.ActivationTest;
import io.matryoshka.sae.internal.kernel.CsrBuilder;
import io.matryoshka.sae.internal.kernel.Rounding;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import java.nio.FloatBuffer;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Encodes few rows in plain Java, on the thread of the caller and without native memory of its own:
 * for small work, handing it to the workers and to libtorch would take longer than the work itself.
 * A float32 product over all latents screens, with the bound of {@link Float32Screen}; values are
 * those of {@link ExactProducts}.
 */
final class DirectEncoder {

  /** Rows that are multiplied together, so that their sums and four columns fit a core's cache. */
  private static final int GROUP_ROWS = 8;

  private final EncoderRows encoder;
  private final LatentTerms terms;
  private final ActivationTest test;
  private final DirectProduct product;

  /**
   * Memory of calls that have ended, for the next ones: memory that is touched for the first time
   * costs as much as half of the work on a row.
   */
  private final Queue<Memory> free =
      new ArrayBlockingQueue<>(Runtime.getRuntime().availableProcessors());

  DirectEncoder(
      EncoderRows encoder, LatentTerms terms, ActivationTest test, DirectProduct product) {
    this.encoder = encoder;
    this.terms = terms;
    this.test = test;
    this.product = product;
  }

  /**
   * Some activations that are to be encoded.
   *
   * @param floats {@code [count, d_in]} from the position of the buffer on
   * @param count number of rows
   * @param shift {@code [d_in]} is subtracted from every row
   */
  record Rows(FloatBuffer floats, int count, float[] shift) {}

  /** What encoding gave: latents that may be active, and how many were computed exactly. */
  record Result(CsrBuilder active, long computed) {}

  /**
   * Encodes rows.
   *
   * @param rows the activations
   * @param width leading latents to look at
   * @param topK if positive, only what can be among the {@code topK} largest of its row is kept
   */
  Result encode(Rows rows, int width, int topK) {
    CsrBuilder active = new CsrBuilder(rows.count);
    Memory memory = memory(rows.count, width);
    long computed = 0;
    for (int r = 0; r < rows.count; r++) {
      Row row = memory.row(rows, r);
      computed += topK > 0 ? row.findTop(topK) : row.find();
      row.compute(active);
      active.endRow();
    }
    free.offer(memory);
    return new Result(active, computed);
  }

  /** Adds a lower bound of every pre-activation that may be positive. */
  void collectLowerBounds(Rows rows, int width, BoundHistogram histogram) {
    Memory memory = memory(rows.count, width);
    for (int r = 0; r < rows.count; r++) {
      for (float bound : memory.row(rows, r).lowerBounds()) {
        histogram.add(bound);
      }
    }
    free.offer(memory);
  }

  /** The memory of an earlier call if it fits, else new memory. */
  private Memory memory(int count, int width) {
    int rows = Math.min(GROUP_ROWS, count);
    Memory memory = free.poll();
    return memory != null && memory.fits(rows, width) ? memory : new Memory(rows, width);
  }

  /**
   * Working memory of a call: multiplies some rows at a time with all latents, and gives one after
   * the other.
   */
  private final class Memory {
    private final float[][] values;
    private final float[][] products;
    private final Row row;

    Memory(int rows, int width) {
      values = new float[rows][DirectProduct.length(encoder.dIn)];
      products = new float[rows][width];
      row = new Row(width);
    }

    boolean fits(int rows, int width) {
      return values.length >= rows && products[0].length == width;
    }

    /** Goes to a row; rows are to be asked for in turn. */
    Row row(Rows rows, int number) {
      int inGroup = number % values.length;
      if (inGroup == 0) {
        multiply(rows, number, Math.min(values.length, rows.count - number));
      }
      row.load(values[inGroup], products[inGroup]);
      return row;
    }

    private void multiply(Rows rows, int first, int count) {
      for (int r = 0; r < count; r++) {
        int position = rows.floats.position() + (first + r) * encoder.dIn;
        rows.floats.get(position, values[r], 0, encoder.dIn);
        subtract(rows.shift, values[r]);
      }
      product.multiply(values, count, products);
    }
  }

  /** Working memory, for one row after the other. */
  private final class Row {
    private final float[][] x = StripedVector.zeros(encoder.dIn);
    private final float[][] w = StripedVector.zeros(encoder.dIn);
    private final float[] lanes = new float[StripedVector.length(encoder.dIn)];
    private final float[] bounds;

    /** Its products with the latents. */
    private float[] products;

    private final int[] candidates;
    private int size;

    /** Bound of the rounding of the products, relative to the norms of the latents. */
    private float error;

    Row(int width) {
      bounds = new float[width];
      candidates = new int[width];
    }

    /** Goes to a row. */
    void load(float[] values, float[] itsProducts) {
      products = itsProducts;
      StripedVector.fill(x, values, encoder.dIn);
      float norm = Rounding.norm(StripedVector.sumOfSquares(x, lanes), encoder.dIn);
      error = Rounding.up(terms.dotError * norm * Rounding.INFLATE);
    }

    /** Finds the latents whose pre-activation could exceed its limit. */
    int find() {
      Float32Screen.fill(bounds, products, test.scale, error, terms.norm, terms.offset);
      size = notNegative(bounds, candidates);
      return size;
    }

    /** Finds the latents that could be among the {@code k} largest. */
    int findTop(int k) {
      Float32Screen.fill(bounds, products, test.scale, error, terms.norm, terms.offset);
      KthLargest top = new KthLargest(k);
      TileCandidates found = new TileCandidates(1, Candidates.Known.BOUND);
      top.scan(bounds, lowerBounds(), 0, Float.NEGATIVE_INFINITY, found);
      found.endRow(0);
      Candidates kept = TileCandidates.join(new TileCandidates[] {found}, 0, Integer.MAX_VALUE);
      kept.dropBelow(top.floor());
      size = kept.size;
      System.arraycopy(kept.latents, 0, candidates, 0, size);
      return size;
    }

    float[] lowerBounds() {
      float[] lower = new float[products.length];
      Float32Screen.fill(lower, products, test.scale, -error, terms.norm, terms.lowOffset);
      return lower;
    }

    /** Computes the candidates exactly. */
    void compute(CsrBuilder out) {
      for (int c = 0; c < size; c++) {
        int latent = candidates[c];
        StripedVector.fill(w, encoder.floats(latent), encoder.position(latent), encoder.dIn);
        float activation = test.activation(StripedVector.dot(x, w, lanes), latent);
        if (activation != 0) {
          out.add(latent, activation);
        }
      }
    }
  }

  static void subtract(float[] shift, float[] values) {
    for (int d = 0; d < shift.length; d++) {
      values[d] -= shift[d];
    }
  }

  /** Where a bound is not below 0, NaN included. */
  static int notNegative(float[] bounds, int[] found) {
    int size = 0;
    for (int j = 0; j < bounds.length; j++) {
      if (!(bounds[j] < 0)) {
        found[size++] = j;
      }
    }
    return size;
  }
}
