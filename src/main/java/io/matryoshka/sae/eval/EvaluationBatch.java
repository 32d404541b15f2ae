package io.matryoshka.sae.eval;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * One evaluation batch: encoded once, decoded with every width in blocks of rows, and reduced to
 * sums of each row. Rows and widths are shared out over threads, but every sum has one fixed order.
 */
final class EvaluationBatch {

  /** Bound on the floats of all reconstructions of a block: 32 MiB. */
  private static final int BLOCK_FLOATS = 8 << 20;

  private static final int MAX_BLOCK_ROWS = 512;

  /** Rows that one thread takes at a time. */
  private static final int ROWS_PER_TASK = 16;

  /** Below this share of the sum of squares, subtracting the mean loses over two digits. */
  private static final double CANCELLATION = 0.01;

  private final float[] x;
  private final int rows;
  private final int dIn;
  private final SparseLatents latents;
  private final double[] squaredNorm;
  private final boolean[] finite;
  private final RowSums[] sums;

  private EvaluationBatch(float[] x, int rows, int dIn, int levels, SparseLatents latents) {
    this.x = x;
    this.rows = rows;
    this.dIn = dIn;
    this.latents = latents;
    squaredNorm = new double[rows];
    finite = new boolean[rows];
    sums = new RowSums[levels];
    Arrays.setAll(sums, level -> new RowSums(rows, dIn));
  }

  /**
   * Encodes rows, and compares their reconstructions.
   *
   * @param x {@code [rows, d_in]} what is encoded
   * @param target {@code [rows, d_out]} what reconstructions should be: {@code x} itself but for a
   *     transcoder
   */
  static EvaluationBatch encode(
      SAE sae, EvaluationOptions options, float[] x, float[] target, int rows) {
    FloatBuffer input = FloatBuffer.wrap(x, 0, rows * sae.dIn());
    SparseLatents latents =
        sae.encodeSparse(input, rows, options.selection().orElse(sae.defaultSelection()));
    EvaluationBatch batch =
        new EvaluationBatch(target, rows, sae.dOut(), sae.widths().size(), latents);
    batch.decode(sae, input);
    return batch;
  }

  /** Reduces rows whose reconstructions are in memory, one array for each width. */
  static EvaluationBatch of(
      float[] x, int rows, int dIn, SparseLatents latents, float[][] reconstructions) {
    EvaluationBatch batch = new EvaluationBatch(x, rows, dIn, reconstructions.length, latents);
    batch.add(reconstructions, 0, rows);
    return batch;
  }

  private void decode(SAE sae, FloatBuffer input) {
    int blockRows = Math.max(1, Math.min(MAX_BLOCK_ROWS, BLOCK_FLOATS / (dIn * sums.length)));
    for (int from = 0; from < rows; from += blockRows) {
      int to = Math.min(rows, from + blockRows);
      float[][] reconstructions = sae.reconstructions(latents.rows(from, to));
      if (sae.config().architecture().hasSkip()) {
        addSkip(sae, input, from, to, reconstructions);
      }
      add(reconstructions, from, to);
    }
  }

  private static void addSkip(
      SAE sae, FloatBuffer input, int from, int to, float[][] reconstructions) {
    FloatBuffer rows = input.duplicate().position(input.position() + from * sae.dIn());
    float[] skip = sae.skip(rows, to - from);
    for (float[] reconstruction : reconstructions) {
      for (int i = 0; i < skip.length; i++) {
        reconstruction[i] += skip[i];
      }
    }
  }

  private void add(float[][] reconstructions, int from, int to) {
    compareRows(reconstructions, from, to);
    IntStream.range(0, sums.length)
        .parallel()
        .forEach(level -> addResiduals(reconstructions[level], level, from, to));
  }

  int rows() {
    return rows;
  }

  SparseLatents latents() {
    return latents;
  }

  /** Whether activation and reconstructions of a row hold neither NaN nor an infinity. */
  boolean isFinite(int row) {
    return finite[row];
  }

  double squaredNorm(int row) {
    return squaredNorm[row];
  }

  RowSums sums(int level) {
    return sums[level];
  }

  /** Moments of the finite activations; puts the squared distance to their mean by row. */
  VectorMoments inputMoments(double[] squaredDistance) {
    double[] mean = new double[dIn];
    double[] first = new double[dIn];
    RowReducer work = new RowReducer(dIn);
    long count = 0;
    for (int row = 0; row < rows; row++) {
      if (finite[row]) {
        work.activation(x, row);
        if (count++ == 0) {
          work.addDifferenceTo(first, first);
        }
        work.addDifferenceTo(mean, first);
      }
    }
    // Counted from the first row, so that equal rows have exactly themselves as mean.
    divide(mean, count);
    for (int d = 0; d < dIn; d++) {
      mean[d] += first[d];
    }
    forRows(
        0,
        rows,
        (rowWork, row) -> {
          rowWork.activation(x, row);
          squaredDistance[row] = rowWork.squaredDistance(mean);
        });
    VectorMoments moments = new VectorMoments(dIn);
    moments.add(count, mean, sumOfFinite(squaredDistance, 0, rows));
    return moments;
  }

  private void compareRows(float[][] reconstructions, int from, int to) {
    forRows(
        from,
        to,
        (work, row) -> {
          work.activation(x, row);
          squaredNorm[row] = work.squaredNorm();
          boolean all = Double.isFinite(squaredNorm[row]);
          for (int level = 0; level < sums.length; level++) {
            work.compare(reconstructions[level], row - from, sums[level], row);
            all &= sums[level].isFinite(row);
          }
          finite[row] = all;
        });
  }

  /** Mean residual of a block, and the sum of squared distances to it. */
  private void addResiduals(float[] reconstruction, int level, int from, int to) {
    double[] mean = new double[dIn];
    RowReducer work = new RowReducer(dIn);
    long count = 0;
    for (int row = from; row < to; row++) {
      if (finite[row]) {
        work.activation(x, row);
        work.addResidualTo(reconstruction, row - from, mean);
        count++;
      }
    }
    divide(mean, count);
    double squares = sumOfFinite(sums[level].squaredError(), from, to);
    double spread = squares;
    for (double value : mean) {
      spread -= count * value * value;
    }
    if (spread < CANCELLATION * squares) {
      spread = spreadAbout(mean, reconstruction, from, to);
    }
    sums[level].residual().add(count, mean, spread);
  }

  private double spreadAbout(double[] mean, float[] reconstruction, int from, int to) {
    RowReducer work = new RowReducer(dIn);
    double spread = 0;
    for (int row = from; row < to; row++) {
      if (finite[row]) {
        work.activation(x, row);
        spread += work.squaredResidualDistance(reconstruction, row - from, mean);
      }
    }
    return spread;
  }

  private double sumOfFinite(double[] values, int from, int to) {
    double sum = 0;
    for (int row = from; row < to; row++) {
      if (finite[row]) {
        sum += values[row];
      }
    }
    return sum;
  }

  private static void divide(double[] vector, long count) {
    if (count > 0) {
      for (int d = 0; d < vector.length; d++) {
        vector[d] /= count;
      }
    }
  }

  @FunctionalInterface
  private interface RowTask {
    void run(RowReducer work, int row);
  }

  private void forRows(int from, int to, RowTask task) {
    int tasks = (to - from + ROWS_PER_TASK - 1) / ROWS_PER_TASK;
    IntStream.range(0, tasks)
        .parallel()
        .forEach(
            i -> {
              RowReducer work = new RowReducer(dIn);
              int first = from + i * ROWS_PER_TASK;
              for (int row = first; row < Math.min(to, first + ROWS_PER_TASK); row++) {
                task.run(work, row);
              }
            });
  }
}
