package io.matryoshka.sae.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NaturalOrderTest {

  @Test
  void compare_numbersInNames_areOrderedByValue() {
    List<String> ordered =
        List.of(
            "a", "a0", "a02", "a2", "a10", "a10b2", "a10b10", "b", "part-9", "part-10", "part-x");
    for (int seed = 0; seed < 20; seed++) {
      List<String> shuffled = new ArrayList<>(ordered);
      Collections.shuffle(shuffled, new Random(seed));
      shuffled.sort(NaturalOrder.INSTANCE);
      // Names of equal value are ordered too, so that the order never depends on the file system.
      assertThat(shuffled).isEqualTo(ordered);
    }
  }

  @Test
  void compare_numbersBeyondLong_areOrderedByValue() {
    assertThat(NaturalOrder.INSTANCE.compare("x99999999999999999999", "x100000000000000000000"))
        .isNegative();
    assertThat(NaturalOrder.INSTANCE.compare("x000", "x0")).isPositive();
    assertThat(NaturalOrder.INSTANCE.compare("x7", "x7")).isZero();
  }
}
