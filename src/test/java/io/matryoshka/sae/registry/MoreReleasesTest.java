package io.matryoshka.sae.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The grids of Gemma Scope 2 and SAEBench against the rows of SAELens' table. */
class MoreReleasesTest {

  private static final Map<String, String> FORMATS =
      Map.of("gemma_3", "gemma-scope-2", "dictionary_learning_1", "dictionary-learning");
  private static final List<Map<String, String>> ROWS = new ArrayList<>();

  private final ReleaseRegistry registry = ReleaseRegistry.bundled();

  @BeforeAll
  static void readRows() throws IOException {
    try (InputStream in = MoreReleasesTest.class.getResourceAsStream("/releases-more.csv.gz");
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8))) {
      String[] names = lines.readLine().split(",");
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] values = line.split(",", -1);
        Map<String, String> row = new HashMap<>();
        for (int i = 0; i < names.length; i++) {
          row.put(names[i], values[i]);
        }
        ROWS.add(row);
      }
    }
  }

  @Test
  void everyRow_isAnEntryWithItsFacts() {
    assertThat(ROWS).hasSize(8802);
    assertThat(ROWS)
        .allSatisfy(
            row -> {
              SaeEntry sae = registry.find(row.get("release"), row.get("sae_id"));
              assertThat(sae.location())
                  .isEqualTo(new SaeLocation.Hub(row.get("hub_repo"), row.get("path"), "main"));
              assertThat(sae.format()).isEqualTo(FORMATS.get(row.get("format")));
              assertThat(sae.neuronpediaId().orElse("")).isEqualTo(row.get("neuronpedia"));
              if (!row.get("l0").isEmpty()) {
                assertThat(sae.trainingK()).hasValue(Integer.parseInt(row.get("l0")));
              }
              assertThat(registry.release(row.get("release")).modelRepo().orElseThrow())
                  .endsWith(row.get("model"));
            });
  }

  @Test
  void releases_haveNoOtherEntries() {
    Set<String> expected = new HashSet<>();
    ROWS.forEach(row -> expected.add(row.get("release") + " " + row.get("sae_id")));
    List<String> found = new ArrayList<>();
    for (Release release : registry.releases()) {
      if (release.id().startsWith("gemma-scope-2") || release.id().startsWith("saebench")) {
        release.saes().forEach(sae -> found.add(sae.release() + " " + sae.saeId()));
      }
    }
    assertThat(found).doesNotHaveDuplicates().hasSize(8802);
    assertThat(expected).containsAll(found);
  }

  @Test
  void transcoders_nameBothHookPoints() {
    SaeEntry sae =
        registry.find("gemma-scope-2-1b-pt-transcoders", "transcoder/layer_13_width_16k_l0_big");
    assertThat(sae.site()).isEqualTo("transcoder");
    assertThat(sae.hookPoint()).isEqualTo("model.layers.13.pre_feedforward_layernorm.output");
    assertThat(sae.hookPointOut()).contains("model.layers.13.post_feedforward_layernorm.output");
    assertThat(sae.dSae()).isEqualTo(16384);
    assertThat(sae.widths()).containsExactly(16384);
  }

  @Test
  void sites_areNamed() {
    assertThat(registry.release("gemma-scope-2-1b-pt-att").saes().get(0).site())
        .isEqualTo("attn_out");
    assertThat(registry.release("gemma-scope-2-1b-pt-mlp").saes().get(0).site())
        .isEqualTo("mlp_out");
    assertThat(registry.release("gemma-2-2b-res-matryoshka-dc").saes().get(0).site())
        .isEqualTo("resid_post");
  }

  @Test
  void saebench_hasItsWidths() {
    assertThat(
            registry.release("saebench_gemma-2-2b_width-2pow14_date-0107").saes().get(2).widths())
        .containsExactly(512, 1536, 3584, 7680, 16384);
  }
}
