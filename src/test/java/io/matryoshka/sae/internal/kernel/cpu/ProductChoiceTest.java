package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.matryoshka.sae.internal.kernel.cpu.ProcessorFeatures.Int8;
import io.matryoshka.sae.internal.kernel.torch.Int8Support;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The choice of the screening product, with trials whose outcome is given. */
class ProductChoiceTest {

  private static final double[] INT8_WINS = {4, 4, 4, 4, 4};
  private static final double[] FLOAT32_WINS = {0.1, 0.1, 0.1, 0.1, 0.1};

  /** One of five turns was disturbed so much that it says the opposite. */
  private static final double[] INT8_WINS_DISTURBED = {4, 0.1, 4, 4, 0.2};

  private final Deque<double[]> trials = new ArrayDeque<>();

  private ProductChoice choice(Int8 features, double[]... outcomes) {
    trials.addAll(List.of(outcomes));
    return new ProductChoice(
        new ProcessorFeatures(features, "the reason"),
        Int8Support.of(TorchKernels.on(Device.cpu())),
        trials::remove);
  }

  private static void countBlocks(ProductChoice choice, int blocks) {
    for (int i = 0; i < blocks; i++) {
      choice.countBlock();
    }
  }

  @ParameterizedTest
  @CsvSource({"FAST, true", "SLOW, false"})
  void isFast_instructionsThatTell_needsNoTrial(Int8 features, boolean expected) {
    ProductChoice choice = choice(features);
    assertThat(choice.isFast()).isEqualTo(expected);
    assertThat(choice.description()).isEqualTo((expected ? "int8" : "float32") + " (the reason)");
  }

  @Test
  void isFast_unknownInstructions_isTimedOnce() {
    ProductChoice choice = choice(Int8.UNKNOWN, INT8_WINS_DISTURBED);
    assertThat(choice.isFast()).isTrue();
    assertThat(choice.isFast()).isTrue();
    assertThat(choice.description())
        .isEqualTo(
            "int8 (the reason; an int8 product takes 1/4.0 of the time of a float32 product)");
  }

  @Test
  void countBlock_wrongEarlyAnswer_isCorrected() {
    ProductChoice choice = choice(Int8.UNKNOWN, FLOAT32_WINS, INT8_WINS, INT8_WINS, INT8_WINS);
    assertThat(choice.isFast()).isFalse();
    countBlocks(choice, 64);
    assertThat(choice.isFast()).isTrue();
  }

  @Test
  void countBlock_instructionsThatLibtorchDoesNotUse_areRefuted() {
    ProductChoice choice = choice(Int8.FAST, FLOAT32_WINS, FLOAT32_WINS, FLOAT32_WINS);
    countBlocks(choice, 8);
    assertThat(choice.isFast()).isFalse();
  }

  @Test
  void countBlock_instructionsThatAreThere_outlastADisturbedTrial() {
    ProductChoice choice =
        choice(Int8.FAST, INT8_WINS_DISTURBED, INT8_WINS_DISTURBED, INT8_WINS_DISTURBED);
    countBlocks(choice, 8);
    assertThat(choice.isFast()).isTrue();
  }

  @Test
  void countBlock_manyBlocks_endsTheTrials() {
    ProductChoice choice = choice(Int8.FAST, INT8_WINS, INT8_WINS, INT8_WINS);
    countBlocks(choice, 10_000);
    assertThat(trials).isEmpty();
    assertThat(choice.isFast()).isTrue();
  }

  @Test
  void ratios_ofThisProcessor_areNumbers() {
    double[] ratios = ProductTrial.ratios(TorchKernels.on(Device.cpu()));
    assertThat(ratios).hasSize(7);
    assertThat(Arrays.stream(ratios).allMatch(ratio -> ratio > 0 && Double.isFinite(ratio)))
        .isTrue();
  }
}
