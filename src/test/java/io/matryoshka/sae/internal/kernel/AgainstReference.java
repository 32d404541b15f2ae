package io.matryoshka.sae.internal.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.LatentParameters;
import java.util.Arrays;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
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
public abstract class AgainstReference {

  /** Rounding of two float32 dot products relative to the norms, with the lengths used here. */
  private static final double ROUNDING = 2 * 400 * 0x1p-24;

  /** What a row of activations looks like. */
  public enum Rows {
    PLAIN,
    OUTLIERS_1000,
    TINY,
    HUGE,
    ZERO,
    DENORMAL,
    MIXED
  }

  /** What the thresholds look like. */
  public enum Thresholds {
    TYPICAL,
    ZERO,
    NEGATIVE,
    ON_A_PRE_ACTIVATION,
    JUST_BELOW_A_PRE_ACTIVATION,
    UNREACHABLE
  }

  public record Case(
      int dIn,
      int dSae,
      int n,
      int width,
      Rows rows,
      Thresholds thresholds,
      SelectionRule rule,
      long seed,
      boolean gated) {

    public Case(
        int dIn,
        int dSae,
        int n,
        int width,
        Rows rows,
        Thresholds thresholds,
        SelectionRule rule,
        long seed) {
      this(dIn, dSae, n, width, rows, thresholds, rule, seed, false);
    }

    Case withGates() {
      return new Case(dIn, dSae, n, width, rows, thresholds, rule, seed, true);
    }
  }

  /** Makes the engine under test over the weights of a problem. */
  protected abstract EncodeEngine engine(Problem problem);

  /** Where the engine under test computes. */
  protected Device device() {
    return Device.cpu();
  }

  protected final Problem problem(Case c) {
    return new Problem(c);
  }

  @Provide
  protected Arbitrary<Case> cases() {
    Arbitrary<SelectionRule> rules =
        Arbitraries.of(
            SelectionRule.THRESHOLD,
            new SelectionRule(SelectionRule.Kind.TOP_K, 1),
            new SelectionRule(SelectionRule.Kind.TOP_K, 7),
            new SelectionRule(SelectionRule.Kind.BATCH_TOP_K, 3),
            new SelectionRule(SelectionRule.Kind.BATCH_TOP_K, 1000));
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

  @Property(tries = 400)
  void encode_adversarialInputWithGates_isTheReference(@ForAll("cases") Case c) {
    try (Problem problem = problem(c.withGates())) {
      problem.compare(c.rule);
    }
  }

  @ParameterizedTest
  @EnumSource(Rows.class)
  void encode_everyKindOfRow_isTheReference(Rows rows) {
    Case c = new Case(96, 300, 600, 300, rows, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 5);
    try (Problem problem = problem(c)) {
      problem.compare(SelectionRule.THRESHOLD);
      problem.compare(new SelectionRule(SelectionRule.Kind.TOP_K, 5));
      problem.compare(new SelectionRule(SelectionRule.Kind.BATCH_TOP_K, 5));
    }
  }

  @Test
  void encode_nanAndInfinity_propagateAsInTheReference() {
    Case c = new Case(20, 50, 4, 50, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 3);
    try (Problem problem = problem(c)) {
      problem.x[3] = Float.NaN;
      problem.x[20 + 5] = Float.POSITIVE_INFINITY;
      problem.x[40 + 7] = Float.NEGATIVE_INFINITY;
      Csr fast = problem.fast(SelectionRule.THRESHOLD);
      Csr plain = problem.plain(SelectionRule.THRESHOLD);
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
    Case c =
        new Case(
            x.length, 2048, 1, 2048, Rows.ZERO, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 4);
    try (Problem problem = problem(c)) {
      Arrays.fill(problem.wEnc, 0f);
      Arrays.fill(problem.bias, 0f);
      for (int d = 0; d < x.length; d++) {
        problem.wEnc[d * c.dSae + 7] = w[d];
      }
      problem.threshold[7] = threshold;
      EncodeEngine engine = problem.remade();
      assertThat(problem.encode(engine, x, 1, SelectionRule.THRESHOLD).latents())
          .containsExactly(7);
      assertScreened(engine.stats());
    }
  }

  /** Checks that the engine took the way that is tested; one row was encoded. */
  protected void assertScreened(ScreeningStats stats) {
    assertThat(stats.fallbackRows()).isZero();
  }

  /** Random weights and activations with both engines over them. */
  public final class Problem implements AutoCloseable {
    public final Case c;
    public final NDManager manager = NDManager.newBaseManager(device());
    public final float[] x;
    public final float[] wEnc;
    public final float[] bias;
    private final double[] logScale;
    private final double[] magnitudeBias;
    public final float[] threshold;
    public final EncodeEngine fast;
    public final ReferenceEngine plain;
    public NDArray weights;

    Problem(Case c) {
      this.c = c;
      Random random = new Random(c.seed);
      wEnc = new float[c.dIn * c.dSae];
      bias = new float[c.dSae];
      logScale = new double[c.dSae];
      magnitudeBias = new double[c.dSae];
      for (int j = 0; j < c.dSae; j++) {
        float size = j % 17 == 3 ? 0 : (float) Math.exp(random.nextGaussian());
        bias[j] = (float) random.nextGaussian() * 0.1f;
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
      for (int j = 0; j < c.dSae; j++) {
        logScale[j] = random.nextGaussian();
        magnitudeBias[j] = random.nextGaussian();
      }
      plain = new ReferenceEngine(weights, parameters());
      fast = engine(this);
    }

    /** What the weights and thresholds are now; with gates, the gate opens above the threshold. */
    public LatentParameters parameters() {
      if (!c.gated) {
        double[] ones = new double[c.dSae];
        Arrays.fill(ones, 1);
        return LatentParameters.of(doubles(j -> bias[j]), ones, doubles(j -> threshold[j]));
      }
      return LatentParameters.gated(
          doubles(j -> (float) ((double) bias[j] - threshold[j])), magnitudeBias, logScale);
    }

    private double[] doubles(IntToDoubleFunction numbers) {
      return IntStream.range(0, c.dSae).mapToDouble(numbers).toArray();
    }

    /** Makes the engine again after weights or thresholds changed. */
    public EncodeEngine remade() {
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

    public double exact(int row, int latent) {
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

    public Csr fast(SelectionRule rule) {
      return encode(fast, x, c.n, rule);
    }

    public Csr plain(SelectionRule rule) {
      return encode(plain, x, c.n, rule);
    }

    public Csr encode(EncodeEngine engine, float[] rows, int n, SelectionRule rule) {
      try (NDManager scope = manager.newSubManager()) {
        return engine.encode(scope.create(rows, new Shape(n, c.dIn)), c.width, rule);
      }
    }

    public void compare(SelectionRule rule) {
      Csr a = fast(rule);
      Csr b = plain(rule);
      assertThat(a.rows()).isEqualTo(c.n);
      float batchCut = smallest(b, 0, b.values().length);
      for (int row = 0; row < c.n; row++) {
        TreeMap<Integer, Float> mine = row(a, row);
        TreeMap<Integer, Float> expected = row(b, row);
        float rowCut = smallest(b, b.rowOffsets()[row], b.rowOffsets()[row + 1]);
        float chosenCut = rule.kind() == SelectionRule.Kind.TOP_K ? rowCut : batchCut;
        TreeMap<Integer, Float> all = new TreeMap<>(mine);
        all.putAll(expected);
        for (int latent : all.keySet()) {
          Near near = new Near(row, latent, ActivationTest.of(parameters(), rule));
          if (mine.containsKey(latent) && expected.containsKey(latent)) {
            assertThat((double) mine.get(latent))
                .isBetween(
                    expected.get(latent) - near.valueError, expected.get(latent) + near.valueError);
          } else {
            boolean byThreshold = rule.kind() == SelectionRule.Kind.THRESHOLD;
            assertThat(near.isUndecided(byThreshold ? near.limit : chosenCut))
                .as("row %d latent %d: %s", row, latent, near)
                .isTrue();
          }
        }
      }
    }

    /** How far a latent of a row is from what decides on it, beside what rounding may change. */
    private final class Near {
      private final double tested;
      private final double testError;
      private final double value;
      private final double valueError;
      private final double limit;

      Near(int row, int latent, ActivationTest test) {
        double dot = exact(row, latent) - bias[latent];
        double error = rounding(row, latent) - ROUNDING * Math.abs(bias[latent]);
        tested = (dot + test.bias[latent]) * test.scale[latent];
        testError = (error + ROUNDING * Math.abs(test.bias[latent])) * test.scale[latent];
        value = (dot + test.valueBias[latent]) * test.valueScale[latent];
        valueError =
            (error + ROUNDING * Math.abs(test.valueBias[latent])) * test.valueScale[latent];
        limit = test.limit[latent];
      }

      boolean isUndecided(double cut) {
        return Math.abs(tested - cut) <= 2 * testError
            || Math.abs(tested) <= testError
            || Math.abs(value) <= valueError;
      }

      @Override
      public String toString() {
        return "tested %s, limit %s, activation %s".formatted(tested, limit, value);
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
