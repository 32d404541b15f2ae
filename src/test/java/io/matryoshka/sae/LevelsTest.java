package io.matryoshka.sae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LevelsTest {

  private static final Levels LEVELS = new Levels(List.of(2, 5, 9));

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "2, 1", "4, 1", "5, 2", "8, 2"})
  void of_latent_isTheFirstWidthThatHoldsIt(int latent, int level) {
    assertThat(LEVELS.of(latent)).isEqualTo(level);
    assertThat(LEVELS.byLatent()[latent]).isEqualTo(level);
  }

  @Test
  void bounds_ofEachLevel_joinWithoutGaps() {
    assertThat(LEVELS.count()).isEqualTo(3);
    assertThat(new int[] {LEVELS.from(0), LEVELS.from(1), LEVELS.from(2)}).containsExactly(0, 2, 5);
    assertThat(new int[] {LEVELS.to(0), LEVELS.to(1), LEVELS.to(2)}).containsExactly(2, 5, 9);
    assertThat(LEVELS.toArray()).containsExactly(2, 5, 9);
  }

  @Test
  void below_boundWithinALevel_cutsIt() {
    assertThat(Levels.below(List.of(2, 5, 9), 5).widths()).containsExactly(2, 5);
    assertThat(Levels.below(List.of(2, 5, 9), 6).widths()).containsExactly(2, 5, 6);
    assertThat(Levels.below(List.of(), 6).widths()).containsExactly(6);
  }

  @Test
  void widths_thatDoNotRise_areRefused() {
    for (List<Integer> widths : List.of(List.<Integer>of(), List.of(0), List.of(2, 2))) {
      assertThatThrownBy(() -> new Levels(widths)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void of_latentOutOfRange_isRefused() {
    assertThatThrownBy(() -> LEVELS.of(9)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> LEVELS.of(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
