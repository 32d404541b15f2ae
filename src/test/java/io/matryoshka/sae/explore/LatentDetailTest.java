package io.matryoshka.sae.explore;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.eval.LatentStatistics;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a report shows of a latent beside its strongest tokens. */
class LatentDetailTest {

  private static final float[] NO_INPUT = {};

  private static SparseLatents column(float... activations) {
    int[] offsets = new int[activations.length + 1];
    for (int row = 0; row < activations.length; row++) {
      offsets[row + 1] = row + 1;
    }
    return SparseLatents.of(offsets, new int[activations.length], activations, 1);
  }

  // ---- histogram ------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"'0.1 1 3.9 0.2 1.9'", "'3.9 1.9 1 0.2 0.1'", "'0.1 0.2 1 1.9 3.9'"})
  void histogram_anyOrder_countsByAPowerOfTwo(String text) {
    ActivationHistograms histograms = new ActivationHistograms(1);
    for (String value : text.split(" ")) {
      histograms.add(0, NO_INPUT, column(Float.parseFloat(value)), new BitSet());
    }
    ActivationHistogram found = histograms.of(0);
    assertThat(found.upper()).isEqualTo(4);
    long[] expected = new long[16];
    expected[0] = 2;
    expected[4] = 1;
    expected[7] = 1;
    expected[15] = 1;
    assertThat(found.counts()).containsExactly(expected);
  }

  @Test
  void histogram_latentThatNeverFires_isEmpty() {
    ActivationHistogram found = new ActivationHistograms(2).of(1);
    assertThat(found).isEqualTo(new ActivationHistogram(0, new long[16]));
  }

  // ---- examples of lower activations ----------------------------------------------------------

  @Test
  void examples_comeFromEachLowerQuarter_whateverTheBatches() {
    float[] activations = new float[200];
    for (int row = 0; row < 200; row++) {
      activations[row] = 1 + row % 100;
    }
    LatentStatistics statistics =
        LatentStatistics.of(200, new long[] {200}, new double[] {10100}, new float[] {100});
    List<List<TopContext>> results = new ArrayList<>();
    for (int batch : new int[] {7, 200}) {
      LowerExamples examples = new LowerExamples(new int[] {0}, statistics, 1);
      for (int from = 0; from < 200; from += batch) {
        int to = Math.min(200, from + batch);
        examples.add(from, NO_INPUT, column(activations).rows(from, to), new BitSet());
      }
      results.add(examples.of(0, List.of()));
    }
    assertThat(results.get(1)).isEqualTo(results.get(0)).hasSize(6);
    assertThat(results.get(0))
        .extracting(context -> (int) (4 * context.activation() / 100))
        .containsExactly(2, 2, 1, 1, 0, 0);
  }

  // ---- pieces of words, repeated contexts, sentences ------------------------------------------

  @ParameterizedTest
  @CsvSource({
    "she|play|##er|##s|well, 2, players",
    "she|play|##er|##s|well, 0, she",
    "▁she|▁play|ers|▁well, 2, players",
    "Ġshe|Ġplay|ers|., 1, players",
    "' she| play|ers|!', 1, players",
    "ers|play|er, 2, er",
    "##|a, 0, ##"
  })
  void word_ofPieces_isTheWhole(String text, int row, String word) {
    List<String> texts = List.of(text.split("\\|"));
    assertThat(Tokens.of(texts, new int[texts.size()]).word(row)).isEqualTo(word);
  }

  @Test
  void word_endsWithItsSequence() {
    Tokens tokens = Tokens.of(List.of("play", "##er"), new int[] {0, 1});
    assertThat(tokens.word(0)).isEqualTo("play");
    assertThat(tokens.word(1)).isEqualTo("er");
  }

  @Test
  void report_repeatedSentence_isOneContextWithItsNumber(@TempDir Path folder) throws IOException {
    float[] rows = {1, 0, 4, 0, 1, 0, 4, 0, 1, 0, 3, 0};
    Path file = folder.resolve("x.npy");
    try (NpyWriter writer = NpyWriter.create(file, 6, 2)) {
      writer.write(rows, 0, rows.length);
      writer.finish();
    }
    Tokens tokens =
        Tokens.of(List.of("a", "b", "a", "b", "a", "##c"), new int[] {0, 0, 1, 1, 2, 2});
    try (SAE sae = HandSae.load(folder, List.of(2), "none", new float[][] {{1, 0}, {0, 1}})) {
      Exploration found =
          new Explorer(sae)
              .explore(
                  ActivationSource.open(List.of(file)),
                  ExplorerOptions.defaults().latents(List.of(0)).contexts(3, 0));
      ExplorationReport report =
          new ExplorationReport(
              "x", Optional.empty(), found, Optional.of(tokens), Optional.empty());
      JsonNode contexts = report.tree().get("latents").get(0).get("contexts");
      assertThat(contexts).hasSize(2);
      assertThat(contexts.get(0).get("repeats").asInt()).isEqualTo(2);
      assertThat(contexts.get(1).get("repeats").asInt()).isEqualTo(1);
      assertThat(report.tree().get("latents").get(0).get("activation_histogram").get("upper"))
          .hasToString("8.0");
      assertThat(report.text(new TopContext(5, 4, new float[] {1, 3}))).isEqualTo("a[c]");

      JsonNode page = new LatentViewData(report).json();
      JsonNode first = page.get("latents").get("0").get("c").get(0);
      assertThat(first.toString()).startsWith("[1,1,0,1,0,2,");
      assertThat(page.get("rest")).hasSize(1);
    }
  }
}
