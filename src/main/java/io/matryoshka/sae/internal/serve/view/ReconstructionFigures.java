package io.matryoshka.sae.internal.serve.view;

import java.util.Arrays;
import java.util.BitSet;

/**
 * How well each prefix width reconstructs each token, in double precision. With activations {@code
 * x}, reconstructions {@code y} and the mean of the counted tokens: the error of a token is {@code
 * ||x - y||^2 / ||x - mean||^2}, and explained variance {@code 1 - sum ||x - y||^2 / sum ||x -
 * mean||^2} over counted tokens, the pooled form of package eval.
 */
final class ReconstructionFigures {

  private final float[] x;
  private final BitSet counted;
  private final int width;
  private final double[] variance;

  /**
   * Takes the activations.
   *
   * @param x {@code [n, width]} row-major
   * @param counted tokens that count
   */
  ReconstructionFigures(float[] x, int width, BitSet counted) {
    this.x = x;
    this.width = width;
    this.counted = counted;
    double[] mean = mean();
    variance = new double[x.length / width];
    for (int t = 0; t < variance.length; t++) {
      for (int d = 0; d < width; d++) {
        double difference = x[t * width + d] - mean[d];
        variance[t] += difference * difference;
      }
    }
  }

  private double[] mean() {
    double[] mean = new double[width];
    counted.stream()
        .forEach(
            t -> {
              for (int d = 0; d < width; d++) {
                mean[d] += x[t * width + d];
              }
            });
    return Arrays.stream(mean).map(sum -> sum / counted.cardinality()).toArray();
  }

  private double[] squaredErrors(float[] y) {
    double[] errors = new double[variance.length];
    for (int t = 0; t < errors.length; t++) {
      for (int d = 0; d < width; d++) {
        double difference = (double) x[t * width + d] - y[t * width + d];
        errors[t] += difference * difference;
      }
    }
    return errors;
  }

  /** The part of each token's variance that is left; NaN for a token that does not count. */
  double[] errors(float[] y) {
    double[] errors = squaredErrors(y);
    for (int t = 0; t < errors.length; t++) {
      errors[t] = counted.get(t) && variance[t] > 0 ? errors[t] / variance[t] : Double.NaN;
    }
    return errors;
  }

  /** NaN where nothing counts or nothing varies. */
  double explainedVariance(float[] y) {
    double[] errors = squaredErrors(y);
    double left = counted.stream().mapToDouble(t -> errors[t]).sum();
    double all = counted.stream().mapToDouble(t -> variance[t]).sum();
    return all > 0 ? 1 - left / all : Double.NaN;
  }

  /**
   * Computes what each level gives to the reconstruction of a token: {@code part . r / ||r||^2}.
   *
   * @param none what decoding no latents gives, {@code [n, width]}
   * @param nested reconstructions of rising prefix widths, {@code [n, width]} each
   * @return one share for each level; NaN where the reconstruction is that of no latents
   */
  static double[] shares(int token, int width, float[] none, float[][] nested) {
    double[] shares = new double[nested.length];
    float[] whole = nested[nested.length - 1];
    double square = 0;
    for (int i = token * width; i < (token + 1) * width; i++) {
      double r = (double) whole[i] - none[i];
      square += r * r;
      for (int level = 0; level < nested.length; level++) {
        float before = level == 0 ? none[i] : nested[level - 1][i];
        shares[level] += ((double) nested[level][i] - before) * r;
      }
    }
    for (int level = 0; level < nested.length; level++) {
      shares[level] = square > 0 ? shares[level] / square : Double.NaN;
    }
    return shares;
  }
}
