package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.internal.kernel.AgainstReference;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.prepared.WeightSource;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The fast engine of the CPU, where int8 products screen. */
class CpuEngineTest extends AgainstReference {

  @Override
  protected EncodeEngine engine(Problem p) {
    return engine(p, ScreeningProduct.INT8);
  }

  static EncodeEngine engine(Problem p, ScreeningProduct product) {
    WeightSource source =
        (first, target, count) -> System.arraycopy(p.wEnc, (int) first, target, 0, count);
    return new PreparedEncoder(source, p.c.dIn(), p.c.dSae(), Optional.empty())
        .engine(product, p.parameters());
  }

  @Test
  void encode_sameTokensInOtherBatches_givesTheSameBits() {
    Case c =
        new Case(64, 256, 700, 256, Rows.MIXED, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 11);
    try (Problem problem = problem(c)) {
      Csr whole = problem.fast(SelectionRule.THRESHOLD);
      for (int row : new int[] {0, 1, 511, 512, 699}) {
        float[] one = Arrays.copyOfRange(problem.x, row * 64, (row + 1) * 64);
        Csr single = problem.encode(problem.fast, one, 1, SelectionRule.THRESHOLD);
        int begin = whole.rowOffsets()[row];
        int end = whole.rowOffsets()[row + 1];
        assertThat(single.latents()).isEqualTo(Arrays.copyOfRange(whole.latents(), begin, end));
        assertThat(single.values()).isEqualTo(Arrays.copyOfRange(whole.values(), begin, end));
      }
    }
  }

  /** So narrow that a block of as much work as others would have more rows than its buffers. */
  @Test
  void encode_manyRowsOfFewDimensions_isTheReference() {
    Case c =
        new Case(2, 1024, 9000, 1024, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 3);
    try (Problem problem = problem(c)) {
      problem.compare(SelectionRule.THRESHOLD);
    }
  }

  @Test
  void stats_denseActivations_screensThoseRowsInFloat32() {
    Case c = new Case(64, 4096, 20, 4096, Rows.PLAIN, Thresholds.ZERO, SelectionRule.THRESHOLD, 2);
    try (Problem problem = problem(c)) {
      problem.compare(SelectionRule.THRESHOLD);
      assertThat(problem.fast.stats().fallbackRows()).isEqualTo(20);
      assertThat(problem.fast.stats().active()).isPositive();
    }
  }

  @Test
  void stats_smallPrefix_screensInFloat32() {
    int width = Tuning.SMALL_WIDTH;
    Case c =
        new Case(
            64, width + 64, 20, width, Rows.PLAIN, Thresholds.TYPICAL, SelectionRule.THRESHOLD, 2);
    try (Problem problem = problem(c)) {
      EncodeEngine fastest = engine(problem, ScreeningProduct.FASTEST);
      problem.encode(fastest, problem.x, 20, SelectionRule.THRESHOLD);
      assertThat(fastest.stats().screened()).isEqualTo(20L * width);
      assertThat(fastest.stats().fallbackRows()).isEqualTo(20);
    }
  }

  @Test
  void encode_slowInt8_isNotUsed() {
    ProductChoice int8 = ProductChoice.ofThisMachine();
    int wide = 4 * Tuning.SMALL_WIDTH;
    assertThat(ScreeningProduct.FASTEST.isInt8(int8, 64, wide)).isEqualTo(int8.isFast());
  }
}
