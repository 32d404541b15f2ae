package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.support.HandSae;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NearestLatentsTest {

  private static final int COUNT = 7;

  /** More than one block; near ties, equal directions, and some without a direction. */
  private static float[][] rows(long seed, int count) {
    Random random = new Random(seed);
    float[][] rows = new float[count][6];
    for (int i = 0; i < count; i++) {
      for (int d = 0; d < 6; d++) {
        rows[i][d] = i % 50 == 7 ? 0 : random.nextInt(5) - 2 + random.nextInt(2) * 1e-6f;
      }
    }
    return rows;
  }

  private static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int d = 0; d < a.length; d++) {
      ab += (double) a[d] * b[d];
      aa += (double) a[d] * a[d];
      bb += (double) b[d] * b[d];
    }
    return ab / Math.sqrt(aa * bb);
  }

  private static List<Double> naive(float[][] of, int latent, float[][] among, boolean within) {
    return IntStream.range(0, among.length)
        .filter(i -> !within || i != latent)
        .mapToObj(i -> cosine(of[latent], among[i]))
        .filter(c -> !c.isNaN())
        .sorted(Comparator.reverseOrder())
        .limit(COUNT)
        .toList();
  }

  @Test
  void find_nearTiesOverBlocks_haveTheCosinesOfTheNaiveSearch(@TempDir Path folder)
      throws Exception {
    float[][] one = rows(1, 40);
    float[][] two = rows(2, 2100);
    try (SAE a = HandSae.load(folder.resolve("a"), List.of(40), "none", one);
        SAE b = HandSae.load(folder.resolve("b"), List.of(2100), "none", two)) {
      int[] latents = IntStream.range(0, 40).toArray();
      List<List<Neighbour>> across =
          new NearestLatents(a, b, Direction.ENCODER, COUNT).find(latents, done -> {});
      int[] some = {2099, 3, 4, 1023, 1024};
      List<List<Neighbour>> within =
          new NearestLatents(b, b, Direction.DECODER, COUNT).find(some, done -> {});

      for (int i : latents) {
        check(across.get(i), one[i], two, naive(one, i, two, false));
      }
      for (int i = 0; i < some.length; i++) {
        check(within.get(i), two[some[i]], two, naive(two, some[i], two, true));
        assertThat(within.get(i)).extracting(Neighbour::latent).doesNotContain(some[i]);
      }
      assertThat(across.get(7)).isEmpty();
    }
  }

  @Test
  void find_withinARange_hasTheNearestOfThatRange(@TempDir Path folder) throws Exception {
    float[][] rows = rows(3, 1500);
    try (SAE sae = HandSae.load(folder, List.of(1500), "none", rows)) {
      List<Neighbour> found =
          new NearestLatents(sae, sae, Direction.DECODER, 3)
              .within(200, 1300)
              .find(new int[] {300}, done -> {})
              .get(0);
      List<Neighbour> all =
          new NearestLatents(sae, sae, Direction.DECODER, 1500)
              .find(new int[] {300}, done -> {})
              .get(0);
      assertThat(found)
          .isEqualTo(
              all.stream().filter(n -> n.latent() >= 200 && n.latent() < 1300).limit(3).toList());
      NearestLatents search = new NearestLatents(sae, sae, Direction.DECODER, 3);
      assertThatThrownBy(() -> search.within(0, 1501))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  private static void check(
      List<Neighbour> found, float[] of, float[][] among, List<Double> wanted) {
    assertThat(found).hasSameSizeAs(wanted);
    List<Double> cosines = new ArrayList<>();
    for (int n = 0; n < found.size(); n++) {
      Neighbour neighbour = found.get(n);
      cosines.add(neighbour.cosine());
      assertThat(neighbour.cosine())
          .isCloseTo(
              cosine(of, among[neighbour.latent()]), org.assertj.core.data.Offset.offset(1e-14))
          .isCloseTo(wanted.get(n), org.assertj.core.data.Offset.offset(1e-14));
    }
    assertThat(cosines).isSortedAccordingTo(Comparator.reverseOrder());
  }

  @Test
  void constructor_differentSpaces_areRefused(@TempDir Path folder) throws Exception {
    try (SAE a = HandSae.load(folder.resolve("a"), List.of(1), "none", new float[][] {{1, 0}});
        SAE b = HandSae.load(folder.resolve("b"), List.of(1), "none", new float[][] {{1, 0, 0}})) {
      assertThatThrownBy(() -> new NearestLatents(a, b, Direction.DECODER, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got 2 and 3");
    }
  }

  @Test
  void latentMatch_twoSaes_findsMutualMatches(@TempDir Path folder) throws Exception {
    float[][] one = {{1, 0}, {0, 1}, {0.1f, 1}, {0, 0}};
    float[][] two = {{0, 2}, {3, 0.1f}};
    try (SAE a = HandSae.load(folder.resolve("a"), List.of(4), "none", one);
        SAE b = HandSae.load(folder.resolve("b"), List.of(2), "none", two)) {
      List<LatentMatch> matches = LatentMatch.between(a, b, done -> {});

      assertThat(matches).extracting(LatentMatch::match).containsExactly(1, 0, 0, -1);
      assertThat(matches).extracting(LatentMatch::mutual).containsExactly(true, true, false, false);
    }
  }
}
