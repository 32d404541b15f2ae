package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every metric on the demo equals an independent computation in float64 from the weights ({@code
 * src/test/resources/eval/generate.py}). The library reconstructs in float32, hence the tolerance.
 */
class DemoMetricsTest {

  private static final double TOLERANCE = 1e-6;

  private static JsonNode expected;

  @BeforeAll
  static void readExpected() throws IOException {
    expected =
        new ObjectMapper().readTree(DemoActivations.path("/eval/demo-metrics.json").toFile());
  }

  @ParameterizedTest
  @ValueSource(ints = {2048, 100})
  void widths_demo_areIndependentComputation(int batchRows) throws IOException {
    Evaluation evaluation = evaluate(batchRows);
    JsonNode levels = expected.get("batchRows" + batchRows);
    assertThat(evaluation.widths()).hasSize(levels.size());
    for (int level = 0; level < levels.size(); level++) {
      assertSame(new ObjectMapper().valueToTree(evaluation.widths().get(level)), levels.get(level));
    }
  }

  @Test
  void latents_demo_areIndependentComputation() throws IOException {
    Evaluation evaluation = evaluate(2048);
    LatentStatistics latents = evaluation.latents();
    assertThat(evaluation.rows()).isEqualTo(DemoActivations.ROWS);
    assertClose("total variance", evaluation.totalVariance(), expected.get("totalVariance"));
    for (int latent = 0; latent < latents.size(); latent++) {
      long firings = expected.get("firings").get(latent).asLong();
      assertThat(latents.firings(latent)).isEqualTo(firings);
      assertThat(latents.density(latent)).isEqualTo(firings / 512.0);
      double sum = expected.get("sumActivation").get(latent).asDouble();
      assertThat(latents.meanActivation(latent)).isEqualTo(sum / firings, offset(1e-5));
      assertThat((double) latents.maxActivation(latent))
          .isEqualTo(expected.get("maxActivation").get(latent).asDouble(), offset(1e-5));
    }
  }

  @Test
  void pooledAndL0_demo_areFiguresOfRelease() throws IOException {
    JsonNode stats =
        new ObjectMapper()
            .readTree(DemoActivations.path("/io/matryoshka/sae/releases/demo/stats.json").toFile());
    Evaluation evaluation = evaluate(2048);
    for (int level = 0; level < 4; level++) {
      JsonNode published = stats.get("demo").get("levels").get(level);
      WidthMetrics width = evaluation.widths().get(level);
      assertThat(width.width()).isEqualTo(published.get("width").asInt());
      // The file rounds to five and three places.
      assertThat(Math.round(width.explainedVariance().pooled() * 1e5) / 1e5)
          .isEqualTo(published.get("explained_variance").asDouble());
      assertThat(Math.round(width.sparsity().l0() * 1e3) / 1e3)
          .isEqualTo(published.get("l0").asDouble());
    }
  }

  @Test
  void levels_demo_addUpToWhole() throws IOException {
    Evaluation evaluation = evaluate(2048);
    assertThat(evaluation.levels()).extracting(LevelMetrics::from).containsExactly(0, 32, 128, 512);
    assertThat(evaluation.levels().get(1).l0()).isEqualTo(19.685546875 - 6.9609375);
    assertThat(evaluation.levels().get(1).explainedVarianceGain())
        .isCloseTo(0.493904509 - 0.220658920, offset(1e-6));
    assertThat(evaluation.levels().stream().mapToDouble(LevelMetrics::l0Share).sum())
        .isCloseTo(1, offset(1e-12));
    assertThat(evaluation.levels().stream().mapToDouble(LevelMetrics::explainedVarianceShare).sum())
        .isCloseTo(1, offset(1e-12));
  }

  @Test
  void compareWith_demo_isIndependentComputation() throws IOException {
    SaeEntry entry =
        ReleaseRegistry.bundled().find(DemoActivations.RELEASE, DemoActivations.SAE_ID);
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(DemoActivations.activations());
      PublishedComparison comparison = evaluator.result().compareWith(entry, sae.logSparsity());
      assertThat(comparison.explainedVariance()).hasValue(0.732);
      assertThat(comparison.explainedVarianceDifference().getAsDouble())
          .isCloseTo(0.738917291 - 0.732, offset(1e-6));
      assertSame(
          new ObjectMapper().valueToTree(comparison.density().orElseThrow()),
          expected.get("published"));
    }
  }

  private static Evaluation evaluate(int batchRows) throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(batchRows));
      evaluator.add(DemoActivations.activations());
      return evaluator.result();
    }
  }

  /** Every leaf of the records has an expected value of the same name. */
  private static void assertSame(JsonNode actual, JsonNode values) {
    for (Map.Entry<String, JsonNode> field : actual.properties()) {
      if (field.getValue().isObject()) {
        assertSame(field.getValue(), values);
      } else if (field.getValue().isArray()) {
        assertThat(field.getValue().toString()).isEqualTo(values.get(field.getKey()).toString());
      } else {
        assertThat(values.has(field.getKey())).as(field.getKey()).isTrue();
        assertClose(field.getKey(), field.getValue().asDouble(), values.get(field.getKey()));
      }
    }
  }

  private static void assertClose(String name, double actual, JsonNode value) {
    assertThat(actual)
        .as(name)
        .isCloseTo(value.asDouble(), offset(TOLERANCE * Math.abs(value.asDouble())));
  }
}
