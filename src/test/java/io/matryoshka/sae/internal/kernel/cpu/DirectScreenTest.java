package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.kernel.AgainstReference;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Tuning;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The fast engine of the CPU, where products in plain Java screen, as for small calls. */
class DirectScreenTest extends AgainstReference {

  private static final int D_IN = 130; // not a multiple of the columns that are added together
  private static final int WIDTH = 1024;
  private static final int TOKENS = 43;

  @Override
  protected EncodeEngine engine(Problem problem) {
    return CpuEngineTest.engine(problem, ScreeningProduct.DIRECT);
  }

  @Override
  protected void assertScreened(ScreeningStats stats) {
    assertThat(stats.fallbackRows()).isOne();
  }

  @ParameterizedTest
  @EnumSource(
      value = SelectionRule.Kind.class,
      names = {"THRESHOLD", "TOP_K"})
  void encode_smallAndLargeCalls_giveTheSameBits(SelectionRule.Kind kind) {
    SelectionRule rule =
        kind == SelectionRule.Kind.THRESHOLD ? SelectionRule.THRESHOLD : new SelectionRule(kind, 9);
    Case c = new Case(D_IN, WIDTH, TOKENS, WIDTH, Rows.MIXED, Thresholds.TYPICAL, rule, 5);
    long weights = (long) D_IN * WIDTH;
    assertThat(Tuning.isDirect(weights, weights)).isTrue();
    assertThat(Tuning.isDirect(TOKENS * weights, weights)).isFalse();
    try (Problem problem = problem(c)) {
      EncodeEngine fastest = CpuEngineTest.engine(problem, ScreeningProduct.FASTEST);
      Csr whole = problem.encode(fastest, problem.x, TOKENS, rule);
      assertThat(whole.latents()).hasSizeGreaterThan(TOKENS);
      for (int row = 0; row < TOKENS; row++) {
        float[] one = Arrays.copyOfRange(problem.x, row * D_IN, (row + 1) * D_IN);
        Csr single = problem.encode(fastest, one, 1, rule);
        int begin = whole.rowOffsets()[row];
        int end = whole.rowOffsets()[row + 1];
        assertThat(single.latents()).isEqualTo(Arrays.copyOfRange(whole.latents(), begin, end));
        assertThat(single.values()).isEqualTo(Arrays.copyOfRange(whole.values(), begin, end));
      }
    }
  }
}
