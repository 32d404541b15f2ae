package io.matryoshka.sae.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The fast engine of the CPU. */
class ScreenedEngineTest extends AgainstReference {

  @Override
  EncodeEngine engine(Problem p) {
    WeightSource source =
        (first, target, count) -> System.arraycopy(p.wEnc, (int) first, target, 0, count);
    return new PreparedEncoder(source, p.c.dIn(), p.c.dSae(), Optional.empty())
        .engine(p.bias, p.scale, p.threshold);
  }

  @Test
  void encode_sameTokensInOtherBatches_givesTheSameBits() {
    Case c = new Case(64, 256, 700, 256, Rows.MIXED, Thresholds.TYPICAL, Rule.THRESHOLD, 11);
    try (Problem problem = problem(c)) {
      Csr whole = problem.fast(Rule.THRESHOLD);
      for (int row : new int[] {0, 1, 511, 512, 699}) {
        float[] one = Arrays.copyOfRange(problem.x, row * 64, (row + 1) * 64);
        Csr single = problem.encode(problem.fast, one, 1, Rule.THRESHOLD);
        int begin = whole.rowOffsets()[row];
        int end = whole.rowOffsets()[row + 1];
        assertThat(single.latents()).isEqualTo(Arrays.copyOfRange(whole.latents(), begin, end));
        assertThat(single.values()).isEqualTo(Arrays.copyOfRange(whole.values(), begin, end));
      }
    }
  }

  @Test
  void stats_denseActivations_screensThoseRowsInFloat32() {
    Case c = new Case(64, 4096, 20, 4096, Rows.PLAIN, Thresholds.ZERO, Rule.THRESHOLD, 2);
    try (Problem problem = problem(c)) {
      problem.compare(Rule.THRESHOLD);
      assertThat(problem.fast.stats().denseRows()).isEqualTo(20);
      assertThat(problem.fast.stats().active()).isPositive();
    }
  }
}
