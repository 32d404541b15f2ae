package io.matryoshka.sae;

import java.util.Arrays;

/**
 * What normalisation took from each token and decoding puts back: {@code x = y * scale + mean}.
 *
 * @param scale {@code [n]} factor of each row
 * @param mean {@code [n]} mean of each row, zeros where nothing was centred
 */
record RowScaling(float[] scale, float[] mean) {

  RowScaling slice(int begin, int end) {
    return new RowScaling(
        Arrays.copyOfRange(scale, begin, end), Arrays.copyOfRange(mean, begin, end));
  }
}
