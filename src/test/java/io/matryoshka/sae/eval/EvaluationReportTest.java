package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.SpliceLoss;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationReportTest {

  private static final int MAX_PAGE_BYTES = 2_000_000;

  private static EvaluationReport demo;

  @BeforeAll
  static void evaluateDemo() throws IOException {
    SaeEntry entry =
        ReleaseRegistry.bundled().find(DemoActivations.RELEASE, DemoActivations.SAE_ID);
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae);
      evaluator.add(DemoActivations.activations());
      demo =
          new EvaluationReport(
              "demo <b>", evaluator.result(), Optional.of(entry), sae.logSparsity());
    }
  }

  @Test
  void json_demo_hasTheNumbersOfTheEvaluation() throws IOException {
    JsonNode json = new ObjectMapper().readTree(demo.json().toString());
    assertThat(json.at("/widths/1/explained_variance/as_coded").doubleValue())
        .isEqualTo(demo.evaluation().widths().get(1).explainedVariance().asCoded());
    assertThat(json.at("/widths/3/sparsity/l0_histogram")).isNotEmpty();
    assertThat(json.at("/levels/3/liveness/above_one_percent").doubleValue()).isBetween(0.0, 1.0);
    assertThat(json.at("/published/explained_variance").doubleValue()).isEqualTo(0.732);
    assertThat(json.at("/published/density/only_published").intValue()).isEqualTo(699);
    assertThat(json.at("/latents/firings")).hasSize(2048);
    assertThat(json.at("/latents/mean_activation/7").isNumber()).isTrue();
  }

  @Test
  void csv_demo_hasALinePerWidthAndPerLatent() {
    List<String> widths = demo.widthsCsv().lines().toList();
    assertThat(widths).hasSize(5);
    List<String> names = List.of(widths.get(0).split(","));
    assertThat(names).doesNotHaveDuplicates().contains("explained_variance_pooled", "l0", "dead");
    String[] cells = widths.get(2).split(",");
    assertThat(cells).hasSize(names.size());
    assertThat(cells[0]).isEqualTo("128");
    assertThat(Double.parseDouble(cells[names.indexOf("l0")])).isEqualTo(19.685546875);
    List<String> latents = demo.latentsCsv().lines().toList();
    assertThat(latents).hasSize(2049);
    assertThat(latents.get(1)).startsWith("0,0,154,0.30078125,-0.52");
    assertThat(latents.get(1 + 32)).startsWith("32,1,");
    assertThat(latents.get(1 + 2047)).startsWith("2047,3,");
    assertThat(latents).allSatisfy(line -> assertThat(line.split(",", -1)).hasSize(8));
  }

  @Test
  void page_demo_holdsEverySectionAndIsSmall() {
    String html = demo.page().html();
    assertThat(html.getBytes(StandardCharsets.UTF_8).length).isLessThan(MAX_PAGE_BYTES);
    assertThat(html)
        .contains(
            "Explained variance by prefix width",
            "L0 by prefix width",
            "L0 histogram",
            "Density of latents by level",
            "Share of each level",
            "Measured minus published log sparsity",
            "0.7389",
            "demo &lt;b&gt;")
        .doesNotContain("demo <b>")
        .isEqualTo(demo.page().html());
  }

  @Test
  void report_noRows_hasNullsAndAPage(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      EvaluationReport empty =
          new EvaluationReport(
              "empty", Evaluator.of(sae).result(), Optional.empty(), Optional.empty());
      assertThat(empty.tree().at("/widths/0/explained_variance/pooled").isNull()).isTrue();
      assertThat(empty.tree().at("/published")).isEmpty();
      assertThat(empty.widthsCsv().lines().skip(1)).allMatch(line -> line.contains(",,,"));
      assertThat(empty.latentsCsv().lines()).contains("0,0,0,,,,,0.0");
      assertThat(empty.page().html()).contains("nothing to show");
    }
  }

  @Test
  void page_constantRows_hasNoExplainedVariance(@TempDir Path folder) throws IOException {
    try (SAE sae = TinySae.load(folder)) {
      Evaluator evaluator = Evaluator.of(sae);
      // S = 4 and (S / d_in)^2 = 4, so the variant as coded is not defined either.
      evaluator.add(new float[] {-2, 0, -2, 0});
      String html =
          new EvaluationReport("dull", evaluator.result(), Optional.empty(), Optional.empty())
              .page()
              .html();
      assertThat(html)
          .contains("L0 by prefix width")
          .doesNotContain("Explained variance by prefix width");
    }
  }

  @Test
  void withLoss_isInEveryForm() {
    EvaluationReport report = demo.withLoss(loss(32, 128, 512, 2048));
    assertThat(report.tree().at("/loss/widths/512/kl").doubleValue()).isEqualTo(0.25);
    assertThat(report.tree().at("/loss/widths/512/recovered").isNull()).isTrue();
    assertThat(report.page().html()).contains("Divergence by prefix width", "3.5000");
    List<String> lines = report.widthsCsv().lines().toList();
    assertThat(lines.get(0)).endsWith(",loss_cross_entropy,loss_kl,loss_recovered");
    assertThat(lines.get(3)).startsWith("512,").endsWith(",3.5,0.25,");
    assertThat(demo.tree().has("loss")).isFalse();
  }

  @Test
  void withLoss_ofOtherWidths_isRefused() {
    assertThatThrownBy(() -> demo.withLoss(loss(32, 2048)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected [32, 128, 512, 2048], got [32, 2048]");
  }

  /** Setting the activations to zero costs nothing here, so no share is defined. */
  private static SpliceLoss loss(Integer... widths) {
    return new SpliceLoss(
        2,
        10,
        3,
        new SpliceLoss.Run(3, 0.5),
        Stream.of(widths).map(w -> new SpliceLoss.WidthLoss(w, 3.5, 0.25, Double.NaN)).toList());
  }

  @Test
  void report_otherSparsity_isRefused() {
    assertThatThrownBy(
            () ->
                new EvaluationReport(
                    "x", demo.evaluation(), Optional.empty(), Optional.of(new float[3])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected d_sae = 2048 values, got 3");
  }
}
