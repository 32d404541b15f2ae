package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {

  /** Mean (2, 1), squared distances to it 2 + 2 = 4; errors 1 and 1. */
  private static final float[] X = {1, 0, 3, 2};

  private static final float[] Y = {1, 1, 2, 2};

  @Test
  void of_arrays_isTheSumByHand() {
    Metrics metrics = Metrics.of(X, Y, 2);
    assertThat(metrics.rows()).isEqualTo(2);
    assertThat(metrics.explainedVariance().pooled()).isCloseTo(1 - 2.0 / 4, within(1e-12));
    assertThat(metrics.reconstruction().mse()).isCloseTo(0.5, within(1e-12));
    double cosine = (1 / Math.sqrt(2) + 10 / Math.sqrt(13 * 8)) / 2;
    assertThat(metrics.reconstruction().cosine()).isCloseTo(cosine, within(1e-12));
    double ratio = (Math.sqrt(2) + Math.sqrt(8.0 / 13)) / 2;
    assertThat(metrics.reconstruction().l2Ratio()).isCloseTo(ratio, within(1e-12));
  }

  @Test
  void of_rowNotFinite_entersNothing() {
    float[] x = {1, 0, Float.NaN, 5, 3, 2, 1, 1};
    float[] y = {1, 1, 0, 0, 2, 2, Float.NEGATIVE_INFINITY, 0};
    Metrics metrics = Metrics.of(x, y, 2);
    assertThat(metrics.nonFiniteRows()).isEqualTo(2);
    assertThat(metrics.explainedVariance()).isEqualTo(Metrics.of(X, Y, 2).explainedVariance());
    assertThat(metrics.reconstruction()).isEqualTo(Metrics.of(X, Y, 2).reconstruction());
  }

  @Test
  void of_arraysOfDjl_flattensLeadingDimensions() {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray x = manager.create(X, new Shape(2, 1, 2));
      NDArray y = manager.create(Y, new Shape(2, 1, 2)).toType(DataType.FLOAT16, false);
      assertThat(Metrics.of(x, y)).isEqualTo(Metrics.of(X, Y, 2));
      assertThatThrownBy(() -> Metrics.of(x, manager.create(Y)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("of one shape");
    }
    assertThatThrownBy(() -> Metrics.of(X, Y, 3)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Metrics.of(X, new float[2], 2))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void of_reconstructionOfAnSae_isWhatTheEvaluatorSays() throws IOException {
    float[] x = DemoActivations.activations();
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(512));
      evaluator.add(x);
      Reconstruction expected = evaluator.result().full().reconstruction();
      Metrics metrics = Metrics.of(x, sae.decode(sae.encodeSparse(x)), sae.dIn());
      assertThat(metrics.reconstruction().mse()).isCloseTo(expected.mse(), within(1e-9));
      assertThat(metrics.reconstruction().cosine()).isCloseTo(expected.cosine(), within(1e-9));
    }
  }

  // ---- rows that hold nearly all of the norm --------------------------------------------------

  @Test
  void outliers_fewRowsOfLargeNorm_areCounted() {
    EnergyHistogram energies = new EnergyHistogram();
    for (int row = 0; row < 97; row++) {
      energies.add(1 + row % 3);
    }
    assertThat(energies.outliers()).isEmpty();
    for (int row = 0; row < 3; row++) {
      energies.add(1e6);
    }
    NormOutliers found = energies.outliers().orElseThrow();
    assertThat(found.rows()).isEqualTo(3);
    assertThat(found.share()).isBetween(0.9999, 1.0);
    EnergyHistogram copy = new EnergyHistogram();
    copy.add(energies);
    assertThat(copy.outliers()).contains(found);
  }

  @Test
  void outliers_ofNothingOrOfZeros_areNone() {
    EnergyHistogram energies = new EnergyHistogram();
    assertThat(energies.outliers()).isEmpty();
    List.of(0.0, 0.0, 0.0).forEach(energies::add);
    assertThat(energies.outliers()).isEmpty();
  }
}
