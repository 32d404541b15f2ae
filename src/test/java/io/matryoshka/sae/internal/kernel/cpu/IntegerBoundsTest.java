package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IntegerBoundsTest {

  private static final int COUNT = 1003; // not a multiple of what is looked at together

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 260, 261, 2304, 16384, 60_000})
  void scan_anyNumberOfFactors_findsAllAndLittleMore(int dIn) {
    Random random = new Random(dIn);
    int largest = 127 * 127 * dIn;
    int unit = Integer.highestOneBit(Math.max(1, largest >> 22)) * 2;
    int[] products = new int[COUNT];
    float[] bounds = new float[COUNT];
    for (int j = 0; j < COUNT; j++) {
      products[j] = random.nextInt(2 * largest + 1) - largest;
      bounds[j] = -products[j] + (random.nextInt(9) - 4) * 0.5f * unit;
    }
    int[] found = found(dIn, products.clone(), bounds, COUNT);
    assertThat(found).contains(passing(products, bounds, 0));
    assertThat(passing(products, bounds, 2f * unit)).contains(found);
  }

  @Test
  void scan_fewFactors_isExact() {
    assertThat(found(64, new int[] {5, 5, 5, -3, -3}, new float[] {-5, -5.6f, -4, 3, 2.4f}, 9))
        .containsExactly(0, 2, 3);
  }

  @Test
  void scan_boundsBeyondAllProducts_decideAlone() {
    float[] bounds = {
      Float.NaN,
      Float.intBitsToFloat(0xffc00000), // a NaN with its sign set, as processors make them
      Float.POSITIVE_INFINITY,
      Float.MAX_VALUE,
      Float.NEGATIVE_INFINITY,
      -Float.MAX_VALUE
    };
    int least = -127 * 127 * 2304;
    int[] products = {least, least, least, least, -least, -least};
    assertThat(found(2304, products, bounds, 9)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void scan_moreThanAreWanted_stopsSoonAfter() {
    assertThat(found(8, new int[COUNT], new float[COUNT], 20)).hasSizeBetween(21, 32);
  }

  private static int[] passing(int[] products, float[] bounds, float slack) {
    return IntStream.range(0, products.length)
        .filter(j -> (double) products[j] + bounds[j] + slack >= 0)
        .toArray();
  }

  private static int[] found(int dIn, int[] products, float[] bounds, int most) {
    TileCandidates tile = new TileCandidates(1, Candidates.Known.NOTHING);
    new IntegerBounds(dIn, products.length).scan(products, bounds, 0, most, tile);
    tile.endRow(0);
    Candidates all = TileCandidates.join(new TileCandidates[] {tile}, 0, Integer.MAX_VALUE);
    return Arrays.copyOf(all.latents, all.size);
  }
}
