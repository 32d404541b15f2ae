package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which tokens may be drawn. */
class SamplerTest {

  private static final float[] LOGITS = {-2, 1, 3, -0f, 3, 0, 2};

  private static Set<Integer> drawn(GenerateOptions options, float... logits) {
    Sampler sampler = new Sampler(options);
    return IntStream.range(0, 500)
        .mapToObj(i -> sampler.pick(logits))
        .collect(Collectors.toUnmodifiableSet());
  }

  @Test
  void pick_topK_drawsAllOfTheLargestAndNoOther() {
    GenerateOptions hot = GenerateOptions.sampling(1, 5, 1);
    assertThat(drawn(hot.topK(3), LOGITS)).containsExactlyInAnyOrder(2, 4, 6);
    assertThat(drawn(hot.topK(5), LOGITS)).containsExactlyInAnyOrder(1, 2, 4, 5, 6);
    assertThat(drawn(hot, LOGITS)).hasSize(LOGITS.length);
  }

  @Test
  void pick_tiesAtTheCut_keepTheLowerId() {
    assertThat(drawn(GenerateOptions.sampling(1, 5, 1).topK(1), LOGITS)).containsExactly(2);
    assertThat(drawn(GenerateOptions.sampling(1, 5, 1).topK(2), -1, -3, -1, -1))
        .containsExactlyInAnyOrder(0, 2);
  }

  @Test
  void pick_topP_drawsTheLargestThatReachTheSum() {
    GenerateOptions plain = GenerateOptions.sampling(1, 1, 1);
    float[] logits = {(float) Math.log(0.2), (float) Math.log(0.5), (float) Math.log(0.3)};
    assertThat(drawn(plain.topP(0.4), logits)).containsExactly(1);
    assertThat(drawn(plain.topP(0.7), logits)).containsExactlyInAnyOrder(1, 2);
    assertThat(drawn(plain.topP(0.9), logits)).containsExactlyInAnyOrder(0, 1, 2);
  }
}
