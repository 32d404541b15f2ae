package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluatorTest {

  @Test
  void result_twoRows_isWorkedByHand(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      // With width 1: y = (3, 0) and (1, 0); with all latents y = x.
      evaluator.add(new float[] {3, 4, 1, 0});
      Evaluation evaluation = evaluator.result();
      // Mean (2, 2): each row lies 1 + 4 from it.
      assertThat(evaluation.totalVariance()).isEqualTo(5);
      WidthMetrics first = evaluation.widths().get(0);
      // r = 16, 0.
      assertThat(first.explainedVariance().pooled()).isEqualTo(1 - 8 / 5.0);
      assertThat(first.explainedVariance().legacy()).isEqualTo((1 - 16 / 5.0 + 1) / 2);
      assertThat(first.explainedVariance().sparsify()).isEqualTo(1 - 16 / 10.0);
      // S = (25 + 1) / 2 = 13, S / d_in = 6.5.
      assertThat(first.explainedVariance().asCoded()).isEqualTo(1 - 8 / (13 - 6.5 * 6.5));
      // Residuals (0, 4), (0, 0): variance 8; inputs: 2 + 8 = 10.
      assertThat(first.explainedVariance().dictionaryLearning()).isCloseTo(0.2, offset(1e-15));
      Reconstruction close = first.reconstruction();
      assertThat(close.squaredError()).isEqualTo(8);
      assertThat(close.mse()).isEqualTo(4);
      assertThat(close.saeLensMse()).isEqualTo(4);
      assertThat(close.normalisedMse()).isEqualTo(16 / 25.0 / 2);
      assertThat(close.errorNorm()).isEqualTo(2);
      assertThat(close.cosine()).isCloseTo((0.6 + 1) / 2, offset(1e-15));
      assertThat(close.l2Ratio()).isCloseTo((0.6 + 1) / 2, offset(1e-15));
      assertThat(close.inputNorm()).isEqualTo(3);
      assertThat(close.outputNorm()).isEqualTo(2);
      assertThat(close.relativeBias()).isEqualTo(1);
      assertThat(first.sparsity()).isEqualTo(new Sparsity(1, List.of(0L, 2L), 2));
      WidthMetrics full = evaluation.full();
      assertThat(full.explainedVariance()).isEqualTo(new ExplainedVariance(1, 1, 1, 1, 1));
      assertThat(full.sparsity()).isEqualTo(new Sparsity(1.5, List.of(0L, 1L, 1L), 4));
      assertThat(full.liveness().alive()).isEqualTo(2 / 3.0);
      assertThat(full.liveness().dead()).isEqualTo(1 / 3.0);
      assertThat(evaluation.levels().get(1).l0Share()).isEqualTo(1 / 3.0);
      assertThat(evaluation.latents().density(1)).isEqualTo(0.5);
      assertThat(evaluation.latents().meanActivation(0)).isEqualTo(2);
      assertThat(evaluation.latents().maxActivation(0)).isEqualTo(3);
    }
  }

  @Test
  void dictionaryLearning_offsetFarAboveSpread_keepsItsDigits(@TempDir Path folder)
      throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      // With width 1 the residuals are (0, 1e6) and (0, 1e6 + 1): variance 0.5 of 2 + 0.5.
      evaluator.add(new float[] {1, 1e6f, 3, 1e6f + 1});
      assertThat(evaluator.result().widths().get(0).explainedVariance().dictionaryLearning())
          .isCloseTo(0.8, offset(1e-12));
    }
  }

  @Test
  void result_noRows_isNaN(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[0]);
      Evaluation evaluation = evaluator.result();
      assertThat(evaluation.rows()).isZero();
      assertThat(evaluation.totalVariance()).isNaN();
      assertThat(evaluation.full().explainedVariance().pooled()).isNaN();
      assertThat(evaluation.full().reconstruction().cosine()).isNaN();
      assertThat(evaluation.full().sparsity().l0()).isNaN();
      assertThat(evaluation.full().sparsity().l0Histogram()).isEmpty();
      assertThat(evaluation.full().liveness().alive()).isNaN();
      assertThat(evaluation.levels().get(0).l0Share()).isNaN();
    }
  }

  @Test
  void result_constantRows_hasNoExplainedVariance(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(3));
      for (int i = 0; i < 7; i++) {
        evaluator.add(new float[] {0.1f, 0.7f});
      }
      Evaluation evaluation = evaluator.result();
      assertThat(evaluation.totalVariance()).isZero();
      ExplainedVariance explained = evaluation.widths().get(0).explainedVariance();
      assertThat(explained.pooled()).isNaN();
      assertThat(explained.legacy()).isNaN();
      assertThat(explained.sparsify()).isNaN();
      assertThat(explained.dictionaryLearning()).isNaN();
      assertThat(evaluation.widths().get(0).reconstruction().squaredError())
          .isCloseTo(0.49, offset(1e-6));
    }
  }

  @Test
  void result_zeroRow_isLeftOutWhereUndefined(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[] {0, 0, 3, 4});
      Reconstruction close = evaluator.result().widths().get(0).reconstruction();
      assertThat(close.cosine()).isCloseTo(0.6, offset(1e-15));
      assertThat(close.normalisedMse()).isEqualTo(16 / 25.0);
      assertThat(close.l2Ratio()).isCloseTo((0 + 0.6) / 2, offset(1e-15));
      assertThat(close.inputNorm()).isEqualTo(2.5);
    }
  }

  @Test
  void result_nonFiniteRows_areCountedApart(@TempDir Path folder) throws IOException {
    float[] bad = {3, 4, Float.NaN, 1, 1, 0, Float.POSITIVE_INFINITY, 1};
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(bad);
      Evaluator clean = Evaluator.of(sae);
      clean.add(new float[] {3, 4, 1, 0});
      Evaluation evaluation = evaluator.result();
      assertThat(evaluation.nonFiniteRows()).isEqualTo(2);
      assertThat(evaluation.rows()).isEqualTo(2);
      assertThat(evaluation.widths()).isEqualTo(clean.result().widths());
      assertThat(evaluation.latents()).isEqualTo(clean.result().latents());
    }
  }

  @Test
  void result_onlyNonFiniteRows_isNaN(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[] {Float.NaN, Float.NaN});
      assertThat(evaluator.result().nonFiniteRows()).isEqualTo(1);
      assertThat(evaluator.result().full().explainedVariance().pooled()).isNaN();
    }
  }

  @Test
  void add_mask_leavesRowsOutButKeepsTheirPlace(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator masked = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(2));
      masked.add(new float[] {9, 9, 3, 4, 1, 0, 2, 1}, new boolean[] {false, true, true, true});
      Evaluation evaluation = masked.result();
      assertThat(evaluation.rows()).isEqualTo(3);
      assertThat(evaluation.maskedRows()).isEqualTo(1);
      // Batches: the row (3, 4) alone, then (1, 0) and (2, 1). r / N_b: 16, 0, 1 / 2.
      assertThat(evaluation.widths().get(0).reconstruction().saeLensMse())
          .isEqualTo((16 + 0 + 0.5) / 3);
    }
  }

  @Test
  void result_midway_doesNotChangeWhatFollows() throws IOException {
    float[] x = DemoActivations.activations();
    try (SAE sae = DemoActivations.sae()) {
      EvaluationOptions options = EvaluationOptions.defaults().batchRows(200);
      Evaluator plain = Evaluator.of(sae, options);
      plain.add(x);
      Evaluator asked = Evaluator.of(sae, options);
      asked.add(FloatBuffer.wrap(x), 250);
      assertThat(asked.result().rows()).isEqualTo(250);
      asked.add(FloatBuffer.wrap(x).position(250 * DemoActivations.D_IN), 262);
      assertThat(asked.result()).isEqualTo(plain.result()).isEqualTo(asked.result());
    }
  }

  @Test
  void merge_partsOfWholeBatches_isWhole() throws IOException {
    float[] x = DemoActivations.activations();
    try (SAE sae = DemoActivations.sae()) {
      EvaluationOptions options = EvaluationOptions.defaults().batchRows(64);
      Evaluator whole = Evaluator.of(sae, options);
      whole.add(x);
      Evaluator first = Evaluator.of(sae, options);
      first.add(Arrays.copyOf(x, 256 * DemoActivations.D_IN));
      Evaluator second = Evaluator.of(sae, options);
      second.add(Arrays.copyOfRange(x, 256 * DemoActivations.D_IN, x.length));
      first.merge(second);
      Evaluation merged = first.result();
      assertThat(merged.rows()).isEqualTo(512);
      for (int level = 0; level < 4; level++) {
        WidthMetrics expected = whole.result().widths().get(level);
        WidthMetrics actual = merged.widths().get(level);
        assertThat(actual.sparsity().l0Histogram()).isEqualTo(expected.sparsity().l0Histogram());
        assertThat(actual.explainedVariance().pooled())
            .isCloseTo(expected.explainedVariance().pooled(), offset(1e-13));
        assertThat(actual.explainedVariance().legacy())
            .isCloseTo(expected.explainedVariance().legacy(), offset(1e-13));
        assertThat(actual.reconstruction().cosine())
            .isCloseTo(expected.reconstruction().cosine(), offset(1e-13));
      }
    }
  }

  @Test
  void merge_otherOptions_isRefused(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      Evaluator other = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(7));
      assertThatThrownBy(() -> evaluator.merge(other))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("batchRows=7");
      assertThatThrownBy(() -> evaluator.merge(evaluator))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void add_badSizes_areRefused(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      assertThatThrownBy(() -> evaluator.add(new float[3]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("d_in = 2")
          .hasMessageContaining("got 3");
      assertThatThrownBy(() -> evaluator.add(FloatBuffer.allocate(3), 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("need 4 floats");
      assertThatThrownBy(() -> evaluator.add(new float[4], new boolean[3]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected 2, got 3");
      assertThatThrownBy(() -> EvaluationOptions.defaults().batchRows(0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
