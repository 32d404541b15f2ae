package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that are left out of an evaluation, and hints on figures that are far off. */
class EvaluationRowsTest {

  private static final float[][] AXES = {{1, 0}, {0, 1}};

  @TempDir private Path folder;

  private ActivationSource source(float... values) throws IOException {
    Path file = folder.resolve("x.npy");
    try (NpyWriter writer = NpyWriter.create(file, values.length / 2, 2)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return ActivationSource.open(List.of(file));
  }

  private SAE sae(String normalise) throws IOException {
    return HandSae.load(folder.resolve(normalise), List.of(2), normalise, AXES);
  }

  @Test
  void run_rowNotFinite_stopsOrIsCounted() throws IOException {
    ActivationSource source = source(1, 2, Float.POSITIVE_INFINITY, 1, 4, 1);
    try (SAE sae = sae("none")) {
      assertThatThrownBy(() -> EvaluationRun.run(sae, source, EvaluationRunOptions.defaults()))
          .isInstanceOf(ActivationException.class)
          .hasMessageContainingAll("x.npy, row 1", "--skip-non-finite");
      Evaluation evaluation =
          EvaluationRun.run(
              sae,
              source,
              EvaluationRunOptions.defaults().rows(RowRules.all().skipNonFinite(true)));
      assertThat(evaluation.rows()).isEqualTo(2);
      assertThat(evaluation.nonFiniteRows()).isEqualTo(1);
      assertThat(evaluation.full().sparsity().l0()).isEqualTo(2);
      assertThat(evaluation.full().explainedVariance().pooled()).isEqualTo(1);
    }
  }

  @Test
  void run_zeroRowDividedByItsNorm_isCountedApart() throws IOException {
    ActivationSource source = source(3, 4, 0, 0, 4, 3);
    try (SAE sae = sae("constant_norm_rescale")) {
      assertThatThrownBy(() -> EvaluationRun.run(sae, source, EvaluationRunOptions.defaults()))
          .hasMessageContainingAll("row 1", "all zeros");
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[] {3, 4, 0, 0, 4, 3});
      assertThat(evaluator.result().nonFiniteRows()).isEqualTo(1);
      assertThat(evaluator.result().full().reconstruction().mse()).isLessThan(1e-9);
    }
  }

  @Test
  void hints_reconstructionOfAnotherScale_saysWhatIsLikelyWrong() throws IOException {
    try (SAE sae = HandSae.load(folder, List.of(2), "none", new float[][] {{3, 0}, {0, 3}})) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[] {1, 2, 2, 1, 3, 1, 1, 3, 2, 2, 1, 1, 3, 3, 2, 1});
      List<String> hints = EvaluationHints.of(evaluator.result(), sae.config(), OptionalInt.of(40));
      assertThat(hints).hasSize(2);
      assertThat(hints.get(0)).contains("explained variance is -", "layer", "hook point", "--mask");
      assertThat(hints.get(1)).contains("mean L0 is 2.0", "40 active latents");
    }
  }

  @Test
  void hints_goodFigures_areNone() throws IOException {
    try (SAE sae = sae("none")) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(new float[] {1, 2, 2, 1, 3, 1});
      assertThat(EvaluationHints.of(evaluator.result(), sae.config(), OptionalInt.of(2))).isEmpty();
    }
  }

  @Test
  void hints_firstTokenOfHugeNorm_namesTheMask() throws IOException {
    float[] x = new float[40];
    Arrays.fill(x, 1);
    x[0] = 1000;
    try (SAE sae = sae("none")) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(x);
      assertThat(EvaluationHints.of(evaluator.result(), sae.config(), OptionalInt.empty()))
          .singleElement()
          .asString()
          .contains("1 of 20 rows hold 100.0 % of the squared norm", "--mask");
    }
  }
}
