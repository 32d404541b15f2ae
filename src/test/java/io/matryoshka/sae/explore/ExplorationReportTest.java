package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ExplorationReportTest {

  private static final int TWO_MEGABYTES = 2_000_000;

  private static SAE sae;
  private static Exploration found;

  @BeforeAll
  static void explore() throws IOException {
    sae = DemoSource.sae();
    found = new Explorer(sae).explore(DemoSource.source(), ExplorerOptions.defaults());
  }

  @AfterAll
  static void close() {
    sae.close();
  }

  private static ExplorationReport report(
      Exploration exploration, Optional<Tokens> tokens, Optional<Comparison> comparison) {
    SaeEntry entry = ReleaseRegistry.bundled().find(DemoSource.RELEASE, "last_hidden_state");
    return new ExplorationReport("demo", Optional.of(entry), exploration, tokens, comparison);
  }

  private static ExplorationReport demo() throws IOException {
    return report(found, Optional.of(DemoSource.tokens()), Optional.empty());
  }

  @Test
  void page_demo_isBelowTwoMegabytes() throws IOException {
    assertThat(demo().page().html().getBytes(StandardCharsets.UTF_8).length)
        .isLessThan(TWO_MEGABYTES);
  }

  @Test
  void jsonOfOneLatent_isThatOfTheWhole() throws IOException {
    ObjectMapper json = new ObjectMapper();
    JsonNode whole = json.readTree(demo().json()).get("latents");
    JsonNode some = whole.get(whole.size() / 2);
    String one = demo().json(some.get("latent").intValue()).orElseThrow();
    assertThat(json.readTree(one)).isEqualTo(some);
    Exploration few =
        new Explorer(sae)
            .explore(
                DemoSource.source(), ExplorerOptions.defaults().latents(List.of(7)).nearest(false));
    assertThat(few.profile(8)).isEmpty();
    assertThat(few.profile(7).orElseThrow().decoderNeighbours()).isEmpty();
    assertThat(few.profile(7).orElseThrow().contexts())
        .isEqualTo(found.profile(7).orElseThrow().contexts());
  }

  @Test
  void outputs_ofTwoRuns_areTheSame() throws IOException {
    Exploration again = new Explorer(sae).explore(DemoSource.source(), ExplorerOptions.defaults());
    ExplorationReport second = report(again, Optional.of(DemoSource.tokens()), Optional.empty());

    assertThat(second.page().html()).isEqualTo(demo().page().html());
    assertThat(second.csv()).isEqualTo(demo().csv());
    assertThat(second.json()).isEqualTo(demo().json());
  }

  @Test
  void page_hostileTokens_addNoElement() {
    String hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>";
    Tokens tokens =
        Tokens.of(Collections.nCopies(DemoSource.ROWS, hostile), new int[DemoSource.ROWS]);
    Tokens plain = Tokens.of(Collections.nCopies(DemoSource.ROWS, "a"), new int[DemoSource.ROWS]);

    String html = report(found, Optional.of(tokens), Optional.empty()).page().html();

    assertThat(html).doesNotContain("<img");
    assertThat(html.split("</script>", -1))
        .hasSameSizeAs(
            report(found, Optional.of(plain), Optional.empty())
                .page()
                .html()
                .split("</script>", -1));
  }

  @Test
  void json_latent17_hasWhatNumpyFinds() throws IOException {
    JsonNode latent = null;
    for (JsonNode one : demo().tree().get("latents")) {
      latent = one.get("latent").intValue() == 17 ? one : latent;
    }

    JsonNode first = latent.get("contexts").get(0);
    assertThat(first.get("row").intValue())
        .isEqualTo(DemoSource.expected().get("top").get("17").get(0).intValue());
    assertThat(first.get("tokens").toString()).startsWith("[\"i\",\"left\",\"her\"");
    assertThat(latent.get("children").get(0).get("latent").intValue()).isEqualTo(77);
    assertThat(latent.get("children").get(0).get("p_child_given_parent").doubleValue())
        .isCloseTo(29 / 93.0, within(1e-12));
    assertThat(latent.get("nearest_decoder").get(0).get("latent").intValue()).isEqualTo(661);
    assertThat(latent.get("absorption").get("silent").intValue()).isZero();
  }

  @Test
  void csv_hasALineForEachLatent() throws IOException {
    String[] lines = demo().csv().split("\r\n");

    assertThat(lines).hasSize(1 + 2048);
    assertThat(lines[18]).startsWith("17,0,93,0.18164062,");
    assertThat(lines[18]).contains(",her mrs feminine feminize gentlemen,661,");
    assertThat(lines[0].split(",")).hasSameSizeAs(lines[2048].split(",", -1));
  }

  @Test
  void csv_quotes_followTheRule() {
    assertThat(ExplorationCsv.quote("a,\"b\"")).isEqualTo("\"a,\"\"b\"\"\"");
    assertThat(ExplorationCsv.quote("she said")).isEqualTo("she said");
  }

  @Test
  void comparison_withAnotherSae_isInEveryOutput() throws IOException {
    try (SAE other = DemoSource.sae();
        SAE small = other.prefix(128)) {
      Comparison comparison =
          Comparison.ofSaes(
              "the first 128",
              sae,
              found.statistics(),
              small,
              new Explorer(small).count(DemoSource.source(), ExplorerOptions.defaults()),
              done -> {});
      ExplorationReport report = report(found, Optional.empty(), Optional.of(comparison));

      assertThat(comparison.differences().get(5).other()).isEqualTo(5);
      assertThat(comparison.differences().get(5).z()).isZero();
      assertThat(report.page().html()).contains("Other side: the first 128.");
      assertThat(report.tree().get("comparison").get("differences")).hasSize(2048);
      assertThat(report.csv()).contains("other_latent");
    }
  }

  @Test
  void explore_chosenLatents_areDescribedInTheirOrder() throws IOException {
    Exploration chosen =
        new Explorer(sae)
            .explore(
                DemoSource.source(),
                ExplorerOptions.defaults().latents(List.of(1999, 3)).contexts(2, 1));

    assertThat(chosen.profiles()).extracting(LatentProfile::latent).containsExactly(1999, 3);
    assertThat(chosen.contexts(3)).hasSize(2);
    assertThat(report(chosen, Optional.empty(), Optional.empty()).text(7)).isEqualTo("7");
  }

  @Test
  void explore_latentOutOfRange_namesTheRange() {
    assertThatThrownBy(
            () ->
                new Explorer(sae)
                    .explore(
                        DemoSource.source(), ExplorerOptions.defaults().latents(List.of(2048))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("latent must lie in 0..2047, got 2048");
  }

  @Test
  void report_tokensOfOtherActivations_areRefused() {
    Tokens tokens = Tokens.of(List.of("a"), new int[1]);

    assertThatThrownBy(() -> report(found, Optional.of(tokens), Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("512 rows");
  }

  @Test
  void options_outOfRange_areNamed() {
    assertThatThrownBy(() -> ExplorerOptions.defaults().contexts(0, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("contexts: expected at least 1, got 0");
  }
}
