package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.support.MiniLm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What bfloat16 products change: activations by less than a percent, and latents near thresholds.
 */
class Bfloat16ProductsTest {

  private static final LanguageModelOptions BFLOAT16 =
      LanguageModelOptions.defaults().bfloat16Products(true);

  /** How far a run is from another. */
  private record Shift(double activations, double latents) {}

  private static Shift shift(Path folder, SAE sae, List<Tokens> texts) throws IOException {
    HookPoint point = HookPoint.of(sae);
    try (LanguageModel exact = LanguageModel.load(folder);
        LanguageModel rounded = LanguageModel.load(folder, BFLOAT16);
        Trace expected = exact.trace(texts, List.of(point), List.of());
        Trace found = rounded.trace(texts, List.of(point), List.of());
        Trace again = rounded.trace(texts, List.of(point), List.of())) {
      assertThat(again.at(point).toFloatArray()).isEqualTo(found.at(point).toFloatArray());
      return new Shift(
          distance(found.at(point), expected.at(point)),
          difference(sae.encodeSparse(found.at(point)), sae.encodeSparse(expected.at(point))));
    }
  }

  private static double distance(NDArray found, NDArray expected) {
    return found.sub(expected).norm().getFloat() / expected.norm().getFloat();
  }

  /** Latents that are active in one run only, of those that are active in any. */
  private static double difference(SparseLatents found, SparseLatents expected) {
    long both = 0;
    long any = 0;
    for (int row = 0; row < expected.rows(); row++) {
      Set<Integer> first = active(found, row);
      Set<Integer> second = active(expected, row);
      long common = first.stream().filter(second::contains).count();
      both += common;
      any += first.size() + second.size() - common;
    }
    return 1 - (double) both / any;
  }

  private static Set<Integer> active(SparseLatents latents, int row) {
    Set<Integer> active = new HashSet<>();
    latents.forEach(row, (latent, activation) -> active.add(latent));
    return active;
  }

  @Test
  void decoder_movesByLessThanAPercent_andKeepsMostLatents() throws IOException {
    try (SAE sae = SAE.fromPretrained(Bookworm.RELEASE, Bookworm.SAE_ID)) {
      Shift shift = shift(Bookworm.MODEL, sae, Bookworm.tokens());
      assertThat(shift.activations()).isBetween(1e-4, 0.01);
      assertThat(shift.latents()).isBetween(1e-4, 0.02);
    }
  }

  @Test
  void encoder_movesByLessThanAPercent_andKeepsMostLatents() throws IOException {
    try (SAE sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state");
        LanguageModel model = LanguageModel.load(MiniLm.folder())) {
      List<Tokens> texts = new ArrayList<>();
      for (JsonNode text : Bookworm.texts().get("texts")) {
        texts.add(model.tokens(text.get("text").textValue()));
      }
      Shift shift = shift(MiniLm.folder(), sae, texts);
      assertThat(shift.activations()).isBetween(1e-4, 0.01);
      assertThat(shift.latents()).isBetween(1e-4, 0.02);
    }
  }
}
