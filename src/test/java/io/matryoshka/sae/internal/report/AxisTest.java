package io.matryoshka.sae.internal.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class AxisTest {

  @Test
  void linear_range_endsAtRoundTicks() {
    Axis axis = Axis.of(Scale.LINEAR, 0, 0.732);

    assertThat(axis.ticks().stream().map(axis::label))
        .containsExactly("0", "0.2", "0.4", "0.6", "0.8");
    assertThat(axis.at(0.2)).isCloseTo(0.25, within(1e-12));
  }

  @Test
  void linear_rangeBelowZero_holdsZero() {
    assertThat(Axis.of(Scale.LINEAR, -3, 8).ticks())
        .containsExactly(-5.0, -2.5, 0.0, 2.5, 5.0, 7.5, 10.0);
  }

  @Test
  void linear_oneValue_hasRoomAround() {
    Axis axis = Axis.of(Scale.LINEAR, 7, 7);

    assertThat(axis.low()).isLessThan(7);
    assertThat(axis.high()).isGreaterThan(7);
  }

  @Test
  void log_densities_hasTicksAtDecades() {
    Axis axis = Axis.of(Scale.LOG, 0.002, 0.4);

    assertThat(axis.ticks()).containsExactly(0.001, 0.01, 0.1, 1.0);
    assertThat(axis.at(0.1)).isCloseTo(2.0 / 3, within(1e-12));
  }

  @Test
  void log_oneDecade_hasTicksBetween() {
    assertThat(Axis.of(Scale.LOG, 1, 8).ticks()).containsExactly(1.0, 2.0, 5.0, 10.0);
  }

  @Test
  void log_manyDecades_skipsSome() {
    assertThat(Axis.of(Scale.LOG, 1e-9, 1e9).ticks()).hasSizeLessThanOrEqualTo(8);
  }

  @Property
  void linear_anyRange_holdsItsEnds(
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double a,
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double b) {
    Axis axis = Axis.of(Scale.LINEAR, Math.min(a, b), Math.max(a, b));

    assertThat(axis.at(a)).isBetween(-1e-6, 1 + 1e-6);
    assertThat(axis.at(b)).isBetween(-1e-6, 1 + 1e-6);
    assertThat(axis.ticks()).hasSizeBetween(2, 9);
  }
}
