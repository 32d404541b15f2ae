package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.internal.report.Chart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * The charts of docs/evaluation.md are those of the demo. With {@code -Dcharts.write=true} the test
 * writes them.
 */
class DocumentedChartsTest {

  @Test
  void charts_demo_areThoseOfTheDocument() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(DemoActivations.activations());
      EvaluationPage page =
          new EvaluationPage(
              new EvaluationReport("demo", evaluator.result(), Optional.empty(), Optional.empty()));
      check(page.explainedVariance().orElseThrow(), "evaluation-explained-variance.svg");
      check(page.l0(), "evaluation-l0.svg");
    }
  }

  private static void check(Chart chart, String name) throws IOException {
    Path file = Path.of("docs", name);
    if (Boolean.getBoolean("charts.write")) {
      Files.writeString(file, chart.svg());
    }
    assertThat(file).content().isEqualTo(chart.svg());
  }
}
