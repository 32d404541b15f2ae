package io.matryoshka.sae.internal.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.internal.kernel.cpu.MachineLimits;
import org.junit.jupiter.api.Test;

/** Derived figures, worked by hand. */
class MeasurementTest {

  private static final double TOLERANCE = 1e-12;

  private static Measurement measurement(Operation operation, int tokens, TimingSummary fast) {
    TimingSummary dense = TimingSummary.of(0.5);
    return new Measurement(operation, 100, 1000, tokens, 1, fast, dense, TimingSummary.NONE, 0.1);
  }

  @Test
  void spread_evenAndOddCounts_hasMedianAndRange() {
    assertThat(TimingSummary.of(3, 1, 8, 2)).isEqualTo(new TimingSummary(2.5, 1, 8));
    assertThat(TimingSummary.of(3, 1, 8)).isEqualTo(new TimingSummary(3, 1, 8));
    assertThat(TimingSummary.of()).isEqualTo(TimingSummary.NONE);
    assertThat(TimingSummary.NONE.isMeasured()).isFalse();
  }

  @Test
  void rates_forward_countEncodeAndDecode() {
    Measurement m = measurement(Operation.FORWARD, 50, TimingSummary.of(0.01));
    assertThat(m.tokensPerSecond()).isCloseTo(5000, within(TOLERANCE));
    // 2 products of 50 x 100 x 1000 with 2 operations each, in 10 ms
    assertThat(m.gigaflopEquivalent()).isCloseTo(2.0, within(TOLERANCE));
  }

  @Test
  void rates_noFastEngine_areThoseOfDenseProducts() {
    Measurement m = measurement(Operation.ENCODE, 50, TimingSummary.NONE);
    assertThat(m.tokensPerSecond()).isCloseTo(100, within(TOLERANCE));
    assertThat(m.shareOfLimit(new MachineLimits("int8", 2, 1e9, 1e9, 1e8))).isNaN();
  }

  @Test
  void shareOfLimit_isOfTheScarcerOfArithmeticAndMemory() {
    MachineLimits limits = new MachineLimits("int8", 2, 1e9, 1e9, 1e8);
    // One token: 200,000 operations take 0.2 ms, 100,000 bytes take 1 ms.
    assertThat(measurement(Operation.ENCODE, 1, TimingSummary.of(0.004)).shareOfLimit(limits))
        .isCloseTo(0.25, within(TOLERANCE));
    // 50 tokens: 10,000,000 operations take 10 ms.
    assertThat(measurement(Operation.ENCODE, 50, TimingSummary.of(0.02)).shareOfLimit(limits))
        .isCloseTo(0.5, within(TOLERANCE));
    assertThat(measurement(Operation.DECODE, 50, TimingSummary.of(0.02)).shareOfLimit(limits))
        .isNaN();
  }
}
