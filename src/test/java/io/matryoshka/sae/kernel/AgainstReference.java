package io.matryoshka.sae.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A fast engine against the reference on inputs chosen to break a bound. Where the two disagree on
 * whether a latent is active, its exact pre-activation must lie within float32 rounding of the cut.
 */
abstract class AgainstReference {

  /** Rounding of two float32 dot products relative to the norms, with the lengths used here. */
  private static final double ROUNDING = 2 * 400 * 0x1p-24;

  /** What a row of activations looks like. */
  enum Rows {
    PLAIN,
    OUTLIERS_1000,
    TINY,
    HUGE,
    ZERO,
    DENORMAL,
    MIXED
  }

  /** What the thresholds look like. */
  enum Thresholds {
    TYPICAL,
    ZERO,
    NEGATIVE,
    ON_A_PRE_ACTIVATION,
    JUST_BELOW_A_PRE_ACTIVATION,
    UNREACHABLE
  }

  record Case(
      int dIn,
      int dSae,
      int n,
      int width,
      Rows rows,
      Thresholds thresholds,
      Rule rule,
      long seed) {}

  /** Makes the engine under test over the weights of a problem. */
  abstract EncodeEngine engine(Problem problem);

  /** Where the engine under test computes. */
  Device device() {
    return Device.cpu();
  }

  final Problem problem(Case c) {
    return new Problem(c);
  }

  @Provide
  Arbitrary<Case> cases() {
    Arbitrary<Rule> rules =
        Arbitraries.of(
            Rule.THRESHOLD,
            new Rule(Rule.Kind.TOP_K, 1),
            new Rule(Rule.Kind.TOP_K, 7),
            new Rule(Rule.Kind.BATCH_TOP_K, 3),
            new Rule(Rule.Kind.BATCH_TOP_K, 1000));
    return Combinators.combine(
            Arbitraries.integers().between(1, 150),
            Arbitraries.integers().between(1, 400),
            Arbitraries.integers().between(1, 40),
            Arbitraries.doubles().between(0, 1),
            Arbitraries.of(Rows.values()),
            Arbitraries.of(Thresholds.values()),
            rules,
            Arbitraries.longs())
        .as(
            (dIn, dSae, n, part, rows, thresholds, rule, seed) ->
                new Case(
                    dIn, dSae, n, 1 + (int) (part * (dSae - 1)), rows, thresholds, rule, seed));
  }

  @Property(tries = 400)
  void encode_adversarialInput_isTheReference(@ForAll("cases") Case c) {
    try (Problem problem = problem(c)) {
      problem.compare(c.rule);
    }
  }

  @ParameterizedTest
  @EnumSource(Rows.class)
  void encode_everyKindOfRow_isTheReference(Rows rows) {
    Case c = new Case(96, 300, 600, 300, rows, Thresholds.TYPICAL, Rule.THRESHOLD, 5);
    try (Problem problem = problem(c)) {
      problem.compare(Rule.THRESHOLD);
      problem.compare(new Rule(Rule.Kind.TOP_K, 5));
      problem.compare(new Rule(Rule.Kind.BATCH_TOP_K, 5));
    }
  }

  @Test
  void encode_nanAndInfinity_propagateAsInTheReference() {
    Case c = new Case(20, 50, 4, 50, Rows.PLAIN, Thresholds.TYPICAL, Rule.THRESHOLD, 3);
    try (Problem problem = problem(c)) {
      problem.x[3] = Float.NaN;
      problem.x[20 + 5] = Float.POSITIVE_INFINITY;
      problem.x[40 + 7] = Float.NEGATIVE_INFINITY;
      Csr fast = problem.fast(Rule.THRESHOLD);
      Csr plain = problem.plain(Rule.THRESHOLD);
      assertThat(fast.rowOffsets()).isEqualTo(plain.rowOffsets());
      assertThat(fast.latents()).isEqualTo(plain.latents());
      assertThat(fast.rowOffsets()[1]).isEqualTo(50);
      for (int e = 0; e < 50; e++) {
        assertThat(fast.values()[e]).isNaN();
      }
      for (int e = fast.rowOffsets()[1]; e < fast.rowOffsets()[3]; e++) {
        assertThat(Float.compare(fast.values()[e], plain.values()[e])).as("entry %d", e).isZero();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void encode_codesThatMissAllOfAProduct_findsTheLatent(boolean missedInX) {
    int dIn = 512;
    int large = 64;
    float[] missed = new float[dIn];
    float[] ones = new float[dIn];
    for (int d = 0; d < dIn; d++) {
      missed[d] = d < large ? 127f : 0.49f;
      ones[d] = d < large ? 0f : 1f;
    }
    float threshold = 0.49f * (dIn - large) * 0.999f;
    assertScreenedIn(missedInX ? missed : ones, missedInX ? ones : missed, threshold);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void encode_fewDimensions_useAllBitsOfThem(boolean fineInX) {
    float[] fine = new float[16];
    float[] ones = new float[16];
    Arrays.fill(fine, 1 + 0x1p-11f);
    Arrays.fill(ones, 1f);
    assertScreenedIn(fineInX ? fine : ones, fineInX ? ones : fine, 16 + 0x1p-8f);
  }

  /** Among latents of zero weights, one with the given weights must be found by screening. */
  private void assertScreenedIn(float[] x, float[] w, float threshold) {
    Case c = new Case(x.length, 2048, 1, 2048, Rows.ZERO, Thresholds.TYPICAL, Rule.THRESHOLD, 4);
    try (Problem problem = problem(c)) {
      Arrays.fill(problem.wEnc, 0f);
      Arrays.fill(problem.bias, 0f);
      for (int d = 0; d < x.length; d++) {
        problem.wEnc[d * c.dSae + 7] = w[d];
      }
      problem.threshold[7] = threshold;
      EncodeEngine engine = problem.remade();
      assertThat(problem.encode(engine, x, 1, Rule.THRESHOLD).latents()).containsExactly(7);
      assertScreened(engine.stats());
    }
  }

  /** Checks that the engine took the way that is tested; one row was encoded. */
  void assertScreened(ScreeningStats stats) {
    assertThat(stats.denseRows()).isZero();
  }

  /** Random weights and activations with both engines over them. */
  final class Problem implements AutoCloseable {
    final Case c;
    final NDManager manager = NDManager.newBaseManager(device());
    final float[] x;
    final float[] wEnc;
    final float[] bias;
    final float[] scale;
    final float[] threshold;
    final EncodeEngine fast;
    final ReferenceEngine plain;
    NDArray weights;

    Problem(Case c) {
      this.c = c;
      Random random = new Random(c.seed);
      wEnc = new float[c.dIn * c.dSae];
      bias = new float[c.dSae];
      scale = new float[c.dSae];
      for (int j = 0; j < c.dSae; j++) {
        float size = j % 17 == 3 ? 0 : (float) Math.exp(random.nextGaussian());
        bias[j] = (float) random.nextGaussian() * 0.1f;
        scale[j] = 1;
        for (int d = 0; d < c.dIn; d++) {
          wEnc[d * c.dSae + j] = size * (float) (random.nextGaussian() / Math.sqrt(c.dIn));
        }
      }
      x = new float[c.n * c.dIn];
      for (int row = 0; row < c.n; row++) {
        fill(row, random);
      }
      threshold = thresholds(random);
      weights = manager.create(wEnc, new Shape(c.dIn, c.dSae));
      NDArray ones = manager.create(scale);
      plain = new ReferenceEngine(weights, manager.create(bias), ones, threshold);
      fast = engine(this);
    }

    /** Makes the engine again after weights or thresholds changed. */
    EncodeEngine remade() {
      weights = manager.create(wEnc, new Shape(c.dIn, c.dSae));
      return engine(this);
    }

    private void fill(int row, Random random) {
      Rows kind = c.rows == Rows.MIXED ? Rows.values()[row % 6] : c.rows;
      for (int d = 0; d < c.dIn; d++) {
        float v = (float) random.nextGaussian();
        x[row * c.dIn + d] =
            switch (kind) {
              case OUTLIERS_1000 -> d % 29 == 4 ? 1000 * v : v;
              case TINY -> v * 1e-25f;
              case HUGE -> v * 1e25f;
              case ZERO -> 0f;
              case DENORMAL -> v * Float.MIN_NORMAL / 8;
              default -> v;
            };
      }
    }

    private float[] thresholds(Random random) {
      float[] result = new float[c.dSae];
      for (int j = 0; j < c.dSae; j++) {
        result[j] =
            switch (c.thresholds) {
              case TYPICAL -> 1 + random.nextFloat();
              case ZERO -> 0;
              case NEGATIVE -> -random.nextFloat();
              case ON_A_PRE_ACTIVATION -> (float) exact(j % c.n, j);
              case JUST_BELOW_A_PRE_ACTIVATION ->
                  (float) (exact(j % c.n, j) - 3 * rounding(j % c.n, j));
              case UNREACHABLE -> Float.MAX_VALUE;
            };
      }
      return result;
    }

    double exact(int row, int latent) {
      double sum = bias[latent];
      for (int d = 0; d < c.dIn; d++) {
        sum += (double) x[row * c.dIn + d] * wEnc[d * c.dSae + latent];
      }
      return sum;
    }

    private double rounding(int row, int latent) {
      double xx = 0;
      double ww = 0;
      for (int d = 0; d < c.dIn; d++) {
        xx += Math.pow(x[row * c.dIn + d], 2);
        ww += Math.pow(wEnc[d * c.dSae + latent], 2);
      }
      return ROUNDING * (Math.sqrt(xx * ww) + Math.abs(bias[latent])) + Float.MIN_NORMAL;
    }

    Csr fast(Rule rule) {
      return encode(fast, x, c.n, rule);
    }

    Csr plain(Rule rule) {
      return encode(plain, x, c.n, rule);
    }

    Csr encode(EncodeEngine engine, float[] rows, int n, Rule rule) {
      try (NDManager scope = manager.newSubManager()) {
        return engine.encode(scope.create(rows, new Shape(n, c.dIn)), c.width, rule);
      }
    }

    void compare(Rule rule) {
      Csr a = fast(rule);
      Csr b = plain(rule);
      assertThat(a.rows()).isEqualTo(c.n);
      float batchCut = smallest(b, 0, b.values().length);
      for (int row = 0; row < c.n; row++) {
        TreeMap<Integer, Float> mine = row(a, row);
        TreeMap<Integer, Float> judge = row(b, row);
        float rowCut = smallest(b, b.rowOffsets()[row], b.rowOffsets()[row + 1]);
        float chosenCut = rule.kind() == Rule.Kind.TOP_K ? rowCut : batchCut;
        TreeMap<Integer, Float> all = new TreeMap<>(mine);
        all.putAll(judge);
        for (int latent : all.keySet()) {
          double limit = rounding(row, latent);
          if (mine.containsKey(latent) && judge.containsKey(latent)) {
            assertThat((double) mine.get(latent))
                .isBetween(judge.get(latent) - limit, judge.get(latent) + limit);
          } else {
            double cut =
                rule.kind() == Rule.Kind.THRESHOLD ? Math.max(0, threshold[latent]) : chosenCut;
            boolean nearCut = Math.abs(exact(row, latent) - cut) <= 2 * limit;
            boolean nearZero = Math.abs(exact(row, latent)) <= limit;
            assertThat(nearCut || nearZero)
                .as("row %d latent %d: %s against cut %s", row, latent, exact(row, latent), cut)
                .isTrue();
          }
        }
      }
    }

    private static float smallest(Csr csr, int begin, int end) {
      float least = Float.POSITIVE_INFINITY;
      for (int e = begin; e < end; e++) {
        least = Math.min(least, csr.values()[e]);
      }
      return least;
    }

    private static TreeMap<Integer, Float> row(Csr csr, int row) {
      TreeMap<Integer, Float> map = new TreeMap<>();
      for (int e = csr.rowOffsets()[row]; e < csr.rowOffsets()[row + 1]; e++) {
        map.put(csr.latents()[e], csr.values()[e]);
      }
      return map;
    }

    @Override
    public void close() {
      manager.close();
    }
  }
}
