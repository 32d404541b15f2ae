package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.kernel.AgainstReference;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fast engine of the CPU, where float32 products screen and give the values. */
class Float32ScreenTest extends AgainstReference {

  private static final int D_IN = 200;
  private static final int WIDTH = 160;
  private static final int TOKENS = 600;

  @Override
  protected EncodeEngine engine(Problem problem) {
    return CpuEngineTest.engine(problem, ScreeningProduct.FLOAT32);
  }

  @Override
  protected void assertScreened(ScreeningStats stats) {
    assertThat(stats.screened()).isEqualTo(2048);
    assertThat(stats.fallbackRows()).isOne();
  }

  @ParameterizedTest
  @EnumSource(Thresholds.class)
  void encode_anyThreshold_findsWhatInt8Finds(Thresholds thresholds) {
    try (Problem problem = problem(mixed(thresholds))) {
      EncodeEngine int8 = CpuEngineTest.engine(problem, ScreeningProduct.INT8);
      Csr exact = problem.encode(int8, problem.x, TOKENS, SelectionRule.THRESHOLD);
      assertSameLatents(problem.fast(SelectionRule.THRESHOLD), exact);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SelectionRule.Kind.class,
      names = {"TOP_K", "BATCH_TOP_K"})
  void encode_topK_givesTheBitsOfInt8(SelectionRule.Kind kind) {
    SelectionRule rule = new SelectionRule(kind, 9);
    try (Problem problem = problem(mixed(Thresholds.TYPICAL))) {
      EncodeEngine int8 = CpuEngineTest.engine(problem, ScreeningProduct.INT8);
      Csr exact = problem.encode(int8, problem.x, TOKENS, rule);
      Csr found = problem.fast(rule);
      assertSameLatents(found, exact);
      assertThat(found.values()).isEqualTo(exact.values());
    }
  }

  /** Thresholds become the very values that the engine gives, so that one bit decides. */
  @Test
  void encode_thresholdsOnItsOwnValues_findsTheSameLatentsInEveryBatch() {
    try (Problem problem = problem(mixed(Thresholds.ZERO))) {
      Csr all = problem.fast(SelectionRule.THRESHOLD);
      for (int row = 0; row < TOKENS; row++) {
        for (int e = all.rowOffsets()[row]; e < all.rowOffsets()[row + 1]; e++) {
          int latent = all.latents()[e];
          if (latent % 5 == row % 5 && Float.isFinite(all.values()[e])) {
            problem.threshold[latent] = all.values()[e];
          }
        }
      }
      EncodeEngine engine = problem.remade();
      Csr whole = problem.encode(engine, problem.x, TOKENS, SelectionRule.THRESHOLD);
      for (int size : new int[] {1, 7, 64, 257}) {
        for (int begin = 0; begin < TOKENS; begin += size) {
          int end = Math.min(TOKENS, begin + size);
          float[] part = Arrays.copyOfRange(problem.x, begin * D_IN, end * D_IN);
          Csr csr = problem.encode(engine, part, end - begin, SelectionRule.THRESHOLD);
          int first = whole.rowOffsets()[begin];
          int last = whole.rowOffsets()[end];
          assertThat(csr.latents()).isEqualTo(Arrays.copyOfRange(whole.latents(), first, last));
        }
      }
      EncodeEngine int8 = CpuEngineTest.engine(problem, ScreeningProduct.INT8);
      assertSameLatents(whole, problem.encode(int8, problem.x, TOKENS, SelectionRule.THRESHOLD));
    }
  }

  @Test
  void stats_plainTokens_computeFewValuesOnTheirOwn() {
    Case c =
        new Case(
            D_IN, WIDTH, 100, WIDTH, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 8);
    try (Problem problem = problem(c)) {
      assertThat(problem.fast(SelectionRule.THRESHOLD).values()).hasSizeGreaterThan(500);
      assertThat(problem.fast.stats().candidates()).isLessThan(20);
    }
  }

  private static Case mixed(Thresholds thresholds) {
    return new Case(D_IN, WIDTH, TOKENS, WIDTH, Rows.MIXED, thresholds, SelectionRule.THRESHOLD, 6);
  }

  private static void assertSameLatents(Csr found, Csr expected) {
    assertThat(found.rowOffsets()).isEqualTo(expected.rowOffsets());
    assertThat(found.latents()).isEqualTo(expected.latents());
  }
}
